"""Catalog rows of what the Bitcoin network itself reports."""
