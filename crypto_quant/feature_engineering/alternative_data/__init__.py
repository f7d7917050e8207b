"""Catalog rows of sentiment, options and other markets."""
