"""The native feature stream: the same operators for a research table and for live rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from crypto_quant import _native
from crypto_quant.core.errors import ConfigError, DataError
from crypto_quant.core.instruments import Instrument
from crypto_quant.feature_engineering.events import Events, Floats, Ints
from crypto_quant.feature_engineering.rows import FeatureSpec


class FeatureStream:
    """Features over a run's events; pickles with its whole state.

    Parameters
    ----------
    specs
        Features, in the order of the columns.
    instruments
        The run's instruments; their positions are the events' instrument numbers.
    series
        Names of the run's outside series; a feature on any other is a column of NaN.

    Raises
    ------
    ConfigError
        When a spec names an unknown operator, parameter or instrument.
    """

    def __init__(
        self,
        specs: Sequence[FeatureSpec],
        instruments: Sequence[Instrument],
        series: Sequence[str] = (),
    ) -> None:
        natives = [instrument.native() for instrument in instruments]
        try:
            self._native = _native.FeatureSet(list(specs), natives, list(series))
        except ValueError as error:
            raise ConfigError(f"features: {error}") from None

    @property
    def names(self) -> tuple[str, ...]:
        """Column names."""
        return tuple(self._native.names)

    @property
    def bridged(self) -> int:
        """Holes in bars that the operators went over so far."""
        return self._native.bridged

    @property
    def refused(self) -> int:
        """Bars refused so far: out of order, repeated, or known before their end."""
        return self._native.refused

    @property
    def state_words(self) -> int:
        """Memory held, in words of eight bytes."""
        return self._native.state_words

    def table(self, events: Events, grid: Ints) -> Floats:
        """Take ``events`` in order and return the values at each time of ``grid``.

        Parameters
        ----------
        events
            In order of ``ts_recv``, none older than what was taken before.
        grid
            Ascending times, shape (m,), ns UTC; each row sees the events known by then.

        Returns
        -------
        Floats
            Shape (m, n_features), NaN where cold, undefined, missing or stale.

        Raises
        ------
        DataError
            When a row is not an event.
        """
        times = np.ascontiguousarray(grid)
        try:
            return self._native.table(events.head, events.body, events.value, times)
        except ValueError as error:
            raise DataError(f"feature events: {error}") from None

    def write(self, now: int) -> Floats:
        """Return the values knowable at ``now``, shape (n_features,); changes nothing."""
        return self._native.write(now)
