"""Catalog rows of funding, basis, positioning and the calendar."""
