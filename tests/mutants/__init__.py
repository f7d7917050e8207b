"""Seeded mutants: small wrong edits of money code that the tests must notice."""
