"""Market data from outside into the catalog, checked: collectors, cleaners, storage."""
