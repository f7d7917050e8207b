"""Nothing out of sample is seen uncounted: the trial log and evaluation."""
