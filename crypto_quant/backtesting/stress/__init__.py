"""Stress: a finished run under shocks, in extreme windows, redrawn, and at other parameters."""
