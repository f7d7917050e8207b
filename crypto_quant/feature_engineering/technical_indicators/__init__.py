"""Catalog rows of indicators on the prices and volumes of perpetual bars."""
