"""Tests of unit/execution."""
