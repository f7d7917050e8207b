"""Pull sources into the catalog: files of known layouts, and (elsewhere) archives and feeds."""
