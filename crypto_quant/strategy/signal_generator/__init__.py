"""Signals: direction, strength and reason; one file a generator."""
