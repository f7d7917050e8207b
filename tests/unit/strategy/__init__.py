"""Tests of unit/strategy."""
