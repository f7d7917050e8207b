"""Parameter sweeps: every combination of values, each a trial that is counted first."""
