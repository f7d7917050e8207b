"""What a tick run assumes of the venue, and the band of assumptions that it is run over."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from crypto_quant.core.config import Section

MS_NS: Final = 10**6
_MOST: Final = 10**6
"""Orders beyond which a limit is none."""
_OWN: Final = ("reducing", "stop_margin", "triggered_stops", "waiting_amends")
_LONGEST_NS: Final = 10**9 * 3_600 * 24 * 365
Seed = Annotated[int, Field(ge=0, le=2**64 - 1)]
"""Of draws in the native venue, which takes 64 bits."""
OrderRate = tuple[
    Annotated[int, Field(ge=0, le=_MOST)], Annotated[int, Field(gt=0, le=_LONGEST_NS)]
]
"""Orders, and the ns in which no more may follow each other."""
QueueName = Literal[
    "risk_averse", "fitted", "optimistic", "power", "power2", "power3", "log", "log2"
]
"""A queue model; ``fitted`` is ``power`` with the exponent that own fills give."""
LatencyName = Literal["p50", "p99", "interpolated", "sampled"]
"""Median or 99th percentile, always; or recorded round trips, interpolated or drawn."""
SelfTrade = Literal["ignore", "expire_taker", "expire_maker", "expire_both"]
MarginMode = Literal["cross", "isolated"]
"""What a contract's losses are paid from: its wallet, or what was set aside for it."""
Amending = Literal["loses_place", "keeps_on_decrease"]
"""What an amendment does to an order's place in its queue."""
Reducing = Literal["one_order", "fill_or_kill", "two_tiers"]
"""How much of a position a liquidation sends to the market at a time."""
StopMargin = Literal["arrival_and_trigger", "trigger"]
"""When an order that waits for a trigger is asked for its margin."""
TriggeredStops = Literal["trade", "refuse"]
"""What becomes of a stop whose trigger is reached when it arrives."""
WaitingAmends = Literal["refuse", "take"]
"""Whether an order that waits for its trigger can be amended."""
TransferFees = dict[str, Annotated[Decimal, Field(ge=0, le=10**9, decimal_places=8)]]
"""By asset: what a transfer out of a wallet costs, in that asset."""


class Levels(Section):
    """A latency at its median and at its 99th percentile, ms."""

    p50: float = Field(ge=0, le=3_600_000)
    p99: float = Field(ge=0, le=3_600_000)

    @model_validator(mode="after")
    def _grow(self) -> Levels:
        if self.p99 < self.p50:
            raise ValueError("p99 must be at least p50")
        return self

    def at(self, name: LatencyName) -> int:
        """Return a level in ns; what is neither is the slower one."""
        return round((self.p50 if name == "p50" else self.p99) * MS_NS)


class OrderLatency(Section):
    """How long orders and answers travel.

    ``rows``: a file of recorded round trips (``sent``, ``venue``, ``answered``, ns UTC; ``venue``
    0: turned away), of which those of a session are used. ``entry_ms`` and ``response_ms`` stand
    in where there are none. Without either, a session's own feed delay is the proxy.
    """

    rows: str = ""
    entry_ms: Levels | None = None
    response_ms: Levels | None = None
    seed: Seed = 0

    @model_validator(mode="after")
    def _both_ways(self) -> OrderLatency:
        if (self.entry_ms is None) != (self.response_ms is None):
            raise ValueError("entry_ms and response_ms must be given together")
        return self


class FeedSection(Section):
    """When market data is known, for tapes without real receive times.

    ``recorded``: by its own stamps. ``constant``: not before ``ms`` have passed since it
    happened; ``interpolated`` and ``sampled``: nor before the delays of ``rows`` have, a file of
    ``ts_event`` and ``ts_recv``, ns UTC. No row is known before its own stamp.
    """

    model: Literal["recorded", "constant", "interpolated", "sampled"] = "recorded"
    ms: Levels | None = None
    rows: str = ""
    seed: Seed = 0

    @model_validator(mode="after")
    def _has_its_numbers(self) -> FeedSection:
        if self.model == "constant" and self.ms is None:
            raise ValueError('model "constant" needs ms')
        if self.model in ("interpolated", "sampled") and not self.rows:
            raise ValueError(f'model "{self.model}" needs rows')
        if self.model != "constant" and self.ms is not None:
            raise ValueError(
                f'ms is of the model "constant"; model "{self.model}" does not read it'
            )
        if self.model in ("recorded", "constant") and self.rows:
            raise ValueError(f'model "{self.model}" does not read rows')
        return self


class VenueSection(Section):
    """The simulated venue of a tick run; rules as in the page on matching.

    ``queue_exponent``: of the power queues, and of ``fitted`` where there is nothing to fit on.
    ``own_fills``: a file of own orders and what became of them, to fit the queue on.
    ``max_order_rate``: rows of (orders, ns). ``tick_impact_y``: of the square-root law beyond a
    taker's walk; 0: off. ``hedged``: contracts have a long and a short position. ``collateral``:
    assets that margin contracts beside the quote asset. ``transfer_delay_ms`` and
    ``transfer_fees`` (by asset, in it): of money that leaves a wallet here. ``reducing``,
    ``stop_margin``, ``triggered_stops``, ``waiting_amends``: rules that differ by venue; the
    simulated one's own where they are left out.
    """

    hedged: bool = False
    collateral: tuple[str, ...] = ()
    transfer_delay_ms: int = Field(default=0, ge=0, le=10**9)
    transfer_fees: TransferFees = Field(default={})
    reducing: Reducing | None = None
    stop_margin: StopMargin | None = None
    triggered_stops: TriggeredStops | None = None
    waiting_amends: WaitingAmends | None = None

    queue_exponent: float = Field(default=2.0, gt=0, le=100)
    own_fills: str = ""
    max_orders: int = Field(default=200, ge=1, le=_MOST)
    max_trigger_orders: int = Field(default=200, ge=0, le=_MOST)
    max_order_rate: tuple[OrderRate, ...] = ()
    partial_fills: bool = True
    walks_book: bool = True
    snapshot_edge: bool = True
    late_trades: bool = True
    exact_queues: bool = True
    self_trade: SelfTrade = "expire_maker"
    tick_impact_y: float = Field(default=0.0, ge=0, le=100)
    latency: OrderLatency = OrderLatency()
    feed: FeedSection = FeedSection()

    def native(self) -> dict[str, object]:
        """Return the rules by the names of the native venue; queue and latency are a cell's."""
        names = (
            "max_orders",
            "max_trigger_orders",
            "partial_fills",
            "walks_book",
            "snapshot_edge",
            "late_trades",
            "exact_queues",
            "self_trade",
            "tick_impact_y",
        )
        rates = [tuple(row) for row in self.max_order_rate]
        own = {name: getattr(self, name) for name in _OWN}
        return {
            **{name: rule for name, rule in own.items() if rule is not None},
            **{name: getattr(self, name) for name in names},
            "max_order_rate": rates,
            "transfer_delay_ns": self.transfer_delay_ms * MS_NS,
            "transfer_fees": list(self.transfer_fees.items()),
        }


class BandSection(Section):
    """What a run is run over: every queue at every latency. One of each: a single cell."""

    queues: tuple[QueueName, ...] = Field(
        default=("risk_averse", "fitted", "optimistic"), min_length=1
    )
    latencies: tuple[LatencyName, ...] = Field(default=("p50", "p99"), min_length=1)

    @model_validator(mode="after")
    def _each_once(self) -> BandSection:
        for what, names in (("queues", self.queues), ("latencies", self.latencies)):
            if len(set(names)) < len(names):
                raise ValueError(f"{what} must differ from one another")
        return self

    def single(self) -> BandSection:
        """Return the cell that is expected to be the pessimistic end."""
        queue = "risk_averse" if "risk_averse" in self.queues else self.queues[0]
        slowest = "p99" if "p99" in self.latencies else self.latencies[0]
        return BandSection(queues=(queue,), latencies=(slowest,))
