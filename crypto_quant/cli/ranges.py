"""Ranges of numbers on the command line."""

from __future__ import annotations

import math
from typing import cast

import click


class Finite(click.FloatRange):
    """A range that not-a-number is outside of: no comparison tells that by itself."""

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the number; see ``click.FloatRange``."""
        number = float(super().convert(cast(float, value), param, ctx))
        if math.isnan(number):
            self.fail(f"{value} is not in the range {self._describe_range()}.", param, ctx)
        return number
