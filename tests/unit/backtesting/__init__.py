"""What a run is worth, and how it is shown."""
