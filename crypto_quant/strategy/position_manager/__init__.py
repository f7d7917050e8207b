"""Positions: size, stop and end of a bet; one file a sleeve."""
