"""A made-up market, fitted on captures: as frames, as bars, and how far it is from real."""
