"""A loop in which time passes by calls, for those who come from hftbacktest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from crypto_quant.backtesting.simulator.account import (
    Capital,
    check_markets,
    check_settings,
    check_whole,
    deposits,
    quote_of,
    units_of,
)
from crypto_quant.backtesting.simulator.ordering import Ordering
from crypto_quant.backtesting.simulator.recorded import Market
from crypto_quant.core.errors import ConfigError, CryptoQuantError, DataError
from crypto_quant.core.messages import Wake
from crypto_quant.runtime.line import RecordedLine
from crypto_quant.runtime.line_spec import LineSpec, Settings

_MINUTE_NS: Final = 60 * 10**9
_LONGEST_NS: Final = 2**61
_HIGHEST_LEVERAGE: Final = 10
"""As the ledger takes it; what an instrument may have its brackets say."""


class Simulator(Ordering):
    """Recorded markets, the simulated venue and one account; it can reach no other venue.

    Prices are whole ticks and quantities whole lots, in both directions; money is ``Decimal``.
    So an order cannot be off tick, and a float is refused. What the venue must refuse it refuses
    itself: see ``Order.reason``. Time begins at the first call of :meth:`elapse`, and orders can
    be sent from then on.

    Parameters
    ----------
    markets
        From ``of_session`` or ``Market.of_columns``; an instrument is named by its position,
        ``asset_no``. Time begins when the books of all are known and ends with the first of
        them that ends: then orders are cancelled and positions closed, with costs.
    sim
        Settings of the simulated venue: see ``docs/reference/matching.md``; of several venues
        (``docs/reference/venues.md``) one mapping for all, or one for each by its name.
    capital
        Money to begin with, in the quote asset, in the wallet that pays for what is traded; of
        several venues an amount for each. Where that does not say it (spot beside contracts, coins
        as collateral or as margin of inverse contracts) a list of ``Deposit``.
    clock_ns
        Distance of the wake-ups of the clock, for :meth:`wake_ups` and :meth:`run_native`, ns.
    leverage, tier
        Of the account; a leverage from 1 to 10.
    hedged
        Venues at which the account is in hedge mode.
    collateral
        Assets that are margin beside the quote asset, of the only venue.

    Raises
    ------
    ConfigError
        The parts do not fit together.
    DataError
        The tape cannot be what it says.
    """

    def __init__(
        self,
        markets: Sequence[Market],
        *,
        sim: Settings | Mapping[str, Settings] | None = None,
        capital: Capital = Decimal(100_000),
        clock_ns: int = 100_000_000,
        leverage: int = 10,
        tier: str = "VIP0",
        hedged: Sequence[str] = (),
        collateral: Sequence[str] = (),
    ) -> None:
        check_markets(markets)
        check_settings(sim, hedged=hedged, collateral=collateral)
        check_whole("leverage", leverage, _HIGHEST_LEVERAGE)
        check_whole("clock_ns", clock_ns, _LONGEST_NS)
        instruments = tuple(market.instrument for market in markets)
        quote = quote_of(instruments)
        start, end = max(m.start for m in markets), min(m.end for m in markets)
        if start >= end:
            raise DataError("markets: expected sessions that overlap in time, was none")
        units = [units_of(m.instrument, m.start, m.end, tier) for m in markets]
        spec = LineSpec(
            instruments=instruments,
            sleeves=("simulator",),
            features=(),
            series=(),
            quote=quote,
            grid_ns=clock_ns,
            start=start,
            end=end,
            sim=dict(sim or {}),
            leverage=leverage,
            tier=tier,
            sample_ns=_MINUTE_NS,
            hedged=tuple(hedged),
            collateral=tuple(collateral),
        )
        super().__init__(RecordedLine(spec, deposits(instruments, capital)), units)
        for index, market in enumerate(markets):
            market.put(self._line, index)
        for index in range(len(markets)):
            self._native.forget_trades(index)

    def elapse(self, duration: int) -> bool:
        """Let time pass.

        Parameters
        ----------
        duration
            How much, ns.

        Returns
        -------
        bool
            Whether the tape goes on.

        Raises
        ------
        StrategyError
            ``duration`` is none.
        """
        try:
            return self._line.elapse(duration)
        except TypeError as err:
            raise self._wrong(f"elapse({duration!r})", "expected whole ns") from err
        except OverflowError as err:
            raise self._wrong(f"elapse({duration!r})", "expected ns of at most 63 bits") from err
        except DataError as err:
            if isinstance(duration, int) and duration > 0:
                raise
            raise self._wrong(f"elapse({duration!r})", "expected a duration above 0") from err

    def wake_ups(self) -> Iterator[Wake]:
        """Yield each wake-up of the clock, of the account and of gaps, to the end of the tape."""
        while (wake := self._line.next()) is not None:
            yield wake

    def run_native(self, strategy: str, parameters: Mapping[str, float]) -> int:
        """Run a strategy in Rust to the end of the tape; see ``_native.Line.run``.

        Returns
        -------
        int
            How often it was asked.

        Raises
        ------
        ConfigError
            There is no such strategy, or a parameter is missing or out of range.
        """
        given: tuple[object, object] = strategy, parameters
        if not (isinstance(given[0], str) and isinstance(given[1], Mapping)):
            was = f"{strategy!r} and {parameters!r}"
            raise ConfigError(f"run_native: expected a name and a mapping of numbers, was {was}")
        return self._line.run(strategy, parameters)

    def run(self, strategy: Callable[[Simulator], Any]) -> None:
        """Call a strategy with this simulator; if it raises, the error says where on the tape.

        Raises
        ------
        StrategyError
            The strategy raised.
        """
        try:
            strategy(self)
        except CryptoQuantError:
            raise
        except Exception as err:
            name = getattr(strategy, "__name__", type(strategy).__name__)
            raise self._wrong(name, f"{type(err).__name__}: {err}") from err
