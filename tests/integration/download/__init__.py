"""``cq data download`` from a served archive into the catalog."""
