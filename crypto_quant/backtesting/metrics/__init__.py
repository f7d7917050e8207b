"""What a run is worth: the run folder, the five targets, regimes, intervals, doubts."""
