"""Tests of the checks and of repairs."""
