"""The report: one HTML page without network, built from a run folder."""
