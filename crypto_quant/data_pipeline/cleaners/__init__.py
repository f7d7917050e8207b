"""Make recorded data usable: what is changed is flagged, what was recorded stays."""
