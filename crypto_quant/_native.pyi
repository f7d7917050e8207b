from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import final

import numpy as np
from numpy.typing import NDArray

from crypto_quant.core.messages import Cancel, Command, Order, Quote
from crypto_quant.core.ports import AccountView

__all__ = [
    "BookPlanner",
    "CaptureDecoder",
    "FeatureSet",
    "FeedLatency",
    "FlowRecorder",
    "Inflater",
    "Instrument",
    "Ledger",
    "Line",
    "LiveQuotes",
    "MiddlePath",
    "PanicException",
    "QuoteDesk",
    "TickDecoder",
    "command_text",
    "flow_minutes",
    "keep_panics",
    "ladder_sums",
    "last_panic",
    "order_sums",
    "prorate",
    "quote_text",
    "reject_code",
]

class PanicException(BaseException):
    """A panic of the core; ``core.panics`` turns it into an error."""

def keep_panics() -> None: ...
def last_panic() -> str | None: ...
def command_text(
    commands: tuple[Command, ...],
    other: Callable[[Command], bytes],
    dumps: Callable[[object], bytes],
) -> bytes:
    """Return commands as JSON; ``other`` says those that are neither cancel nor quote."""

def ladder_sums(quotes: tuple[Quote, ...], tick: int, lot: int) -> tuple[int, int]:
    """Return what all bids and what all asks come to, unsigned.

    Raises
    ------
    ValueError
        One is not positive, off tick or lot, beside another at its price, or meets the other side.
    """

def quote_text(quotes: tuple[Quote, ...]) -> bytes:
    """Return ``[side, price, quantity]`` of each, as JSON."""

def order_sums(
    orders: tuple[Order, ...],
) -> tuple[dict[tuple[int, int], tuple[int, int]], dict[int, tuple[int, int, int]]] | None:
    """Return what limit orders come to; ``None`` where one is anything else.

    What is (bought, sold), unsigned, by (sleeve, instrument); and by instrument the largest price
    and quantity of which all are multiples, and the smallest price times quantity.
    """

@final
class Instrument:
    """A contract and its dated rules; ``core.instruments.Instrument.native`` builds it."""

    def __new__(
        cls,
        id: str,
        contract: str,
        base: str,
        quote: str,
        settle: str,
        multiplier: Decimal,
        price_exp: int,
        qty_exp: int,
        tick: Sequence[tuple[int, Decimal]],
        lot: Sequence[tuple[int, Decimal]],
        min_notional: Sequence[tuple[int, Decimal]],
        fees: Sequence[tuple[int, tuple[Decimal, Decimal]]],
        brackets: Sequence[tuple[int, Sequence[tuple[Decimal | None, Decimal, int, Decimal]]]]
        | None = None,
        valid_from: int | None = None,
        valid_to: int | None = None,
        bracket_unit: str = "quote",
        liquidation_fee: Sequence[tuple[int, Decimal]] | None = None,
        price_bands: Sequence[tuple[int, tuple[Decimal, Decimal, Decimal]]] | None = None,
    ) -> Instrument: ...
    @property
    def id(self) -> str: ...
    def maintenance_margin(self, notional: Decimal, ts: int) -> Decimal: ...
    def notional(self, px: int, qty: int) -> Decimal: ...

@final
class FlowRecorder:
    """A recorder of a made-up market; ``data_pipeline.generated`` sets it up."""

    def __new__(
        cls,
        parameters: Mapping[str, object],
        slow: Mapping[str, object],
        streams: Mapping[str, object],
        seed: int,
        start: int,
    ) -> FlowRecorder: ...
    def record(self, until: int) -> bytes: ...
    @property
    def now(self) -> int: ...
    @property
    def events(self) -> int: ...

def flow_minutes(
    coarse: Mapping[str, object], slow: Mapping[str, object], seed: int, minutes: int
) -> dict[str, NDArray[np.float64 | np.int64]]: ...

@final
class Inflater:
    """Streaming decompression; ``data_pipeline.collectors.ticks`` feeds it."""

    def __new__(cls, member: tuple[int, int] | None = None) -> Inflater: ...
    def feed(self, data: bytes) -> None: ...
    def text(self) -> bytes: ...
    def finish(self) -> None: ...

@final
class TickDecoder:
    """Streaming decoder of one tick file; ``data_pipeline.collectors.ticks`` feeds it."""

    def __new__(cls, layout: str, symbol: str, price_exp: int, qty_exp: int) -> TickDecoder: ...
    def feed(self, data: bytes) -> int: ...
    def finish(self) -> int: ...
    def take(self) -> list[tuple[str, int, dict[str, NDArray[np.int64 | np.int8 | np.uint32]]]]: ...
    def stats(self) -> dict[str, int]: ...

@final
class CaptureDecoder:
    """Streaming decoder of a capture of several symbols, each on its own grid."""

    def __new__(
        cls, grids: Mapping[str, tuple[int, int]], other: tuple[int, int]
    ) -> CaptureDecoder: ...
    def feed(self, data: bytes) -> int: ...
    def finish(self) -> int: ...
    def take(
        self,
    ) -> list[tuple[str, tuple[str, int, dict[str, NDArray[np.int64 | np.int8 | np.uint32]]]]]: ...
    def stats(self) -> dict[str, dict[str, int]]: ...

def reject_code(reason: str) -> int | None:
    """Return the code that Binance's USD-M futures give for a reason of the simulated venue."""

@final
class BookPlanner:
    """Which recorded updates make a book; ``data_pipeline.collectors.ticks.chain`` feeds it.

    Answers are ``(rows in the order to apply them, rows where the book broke)``, numbered from
    the first part's start.
    """

    def __new__(cls) -> BookPlanner: ...
    def feed(
        self,
        first_id: NDArray[np.int64],
        last_id: NDArray[np.int64],
        prev_id: NDArray[np.int64],
        side: NDArray[np.int8],
        flags: NDArray[np.uint32],
    ) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]: ...
    def finish(self) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]: ...
    @property
    def keeps(self) -> int:
        """The first row that a later answer may name."""

@final
class FeedLatency:
    """When rows of one stream are known under a model; ``runtime.feed_latency`` makes them.

    A row is known no earlier than its own stamp, nor than the model lets it arrive, nor than the
    row before it. Rows of one message (the same two stamps) are known together.
    """

    @staticmethod
    def constant(ns: int) -> FeedLatency: ...
    @staticmethod
    def recorded(ts_event: NDArray[np.int64], ts_recv: NDArray[np.int64]) -> FeedLatency:
        """Return delays interpolated between recorded messages, of venue times that grow."""

    @staticmethod
    def sampled(samples_ns: NDArray[np.int64], seed: int) -> FeedLatency: ...
    def stamp(self, ts_event: NDArray[np.int64], ts_recv: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return when the stream's next rows are known, (n,)."""

@final
class MiddlePath:
    """The middle of a recorded book over venue time; ``runtime.middles`` feeds it.

    ``step`` is the tick in grid units; events are missing right before each of ``gaps``.
    """

    def __new__(cls, step: int, gaps: Sequence[int]) -> MiddlePath: ...
    def add(
        self,
        ts_event: NDArray[np.int64],
        side: NDArray[np.int8],
        px: NDArray[np.int64],
        qty: NDArray[np.int64],
        flags: NDArray[np.uint32],
    ) -> None:
        """Take the next level changes, in the order in which they were known."""

    def finish(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the times at which it changed, and best bid plus best ask from each on.

        0 while the book is not known. Nothing can be added any more.
        """

@final
class FeatureSet:
    """Streaming features; ``feature_engineering.stream.FeatureStream`` wraps it."""

    def __new__(
        cls,
        specs: Sequence[tuple[str, Mapping[str, str | float]]],
        instruments: Sequence[Instrument],
        series: Sequence[str],
    ) -> FeatureSet: ...
    @property
    def names(self) -> list[str]: ...
    @property
    def bridged(self) -> int: ...
    @property
    def refused(self) -> int: ...
    @property
    def state_words(self) -> int: ...
    def table(
        self,
        head: NDArray[np.int64],
        body: NDArray[np.int64],
        values: NDArray[np.float64],
        grid: NDArray[np.int64],
    ) -> NDArray[np.float64]: ...
    def write(self, now: int) -> NDArray[np.float64]: ...
    def __reduce__(self) -> tuple[object, tuple[object, ...]]: ...
    @staticmethod
    def restore(
        specs: Sequence[tuple[str, Mapping[str, str | float]]],
        sources: Sequence[tuple[str, int, int]],
        series: Sequence[str],
        state: Sequence[int],
        levels: Sequence[Sequence[tuple[bool, int, int]] | None],
    ) -> FeatureSet: ...

@final
class Line:
    """One segment of the recorded line: tape, book, features, ledger and simulated venue.

    Add the data, then call :meth:`next` until it returns 0; between wake-ups place orders.
    A stream may come in parts: ``more`` says that others follow, ``stream`` is the number that
    adding the first one returned. Parts that the line has passed are dropped, and however a
    stream is cut, what happens is the same.
    Times are int64 ns UTC; prices and quantities are integers on the instrument's grid;
    instruments, sleeves and wallets are named by their position in the lists given here.
    Bad arguments and bad data raise ``ValueError``; a refused booking or two parts that
    disagree raise ``RuntimeError``.

    Order of events at one time: data that becomes known (gaps, trades, book, quotes, bars
    from short to long, marks, funding, outside series) · the venue's answers · the timer ·
    data at the venue, delistings, funding, the equity row, orders. A bar is known at its
    end; ``mark(t)`` is the open of the bar that begins at ``t`` (recorded marks, else). A stop
    or limit hit inside a bar is stamped with the bar's last nanosecond and answered by the
    bar's end, before the timer there; a waiting order does not meet the open at ``t`` if its
    cancellation was decided by ``t``.
    Where a mark, a fill, funding or a transfer leaves no more than the maintenance margin, the
    venue liquidates: its orders and fills have the tag ``liquidation``.
    Timers and equity rows run from ``start`` to ``end``; earlier data only warms features
    up. At ``end`` no timer comes: answers arrive, orders are cancelled, positions are closed
    at the last close with costs (tag ``data_end``), the last equity row is written.

    Parameters
    ----------
    instruments, sleeves
        What is traded and whose books are kept.
    features
        ``(name, {"operator": ..., parameter: value})``, in the order of the columns.
    series
        Names of the outside series.
    grid_ns
        Decision grid, anchored at the epoch.
    start, end
        The segment; nothing later than ``end`` is read.
    sim
        ``None``: no venue (orders are written down only, no equity rows but the last).
        Else settings, each with a default: ``entry_latency_ns`` 50e6 (on bars at most 1e9),
        ``response_latency_ns`` 50e6; instead of these ``latency_rows``, recorded (sent, at
        the venue, answered; 0 at the venue: turned away) between which is interpolated, or
        ``entry_samples_ns``, ``response_samples_ns`` and ``latency_seed``, to be drawn from.
        On recorded books ``queue`` "risk_averse" (or "optimistic", "power", "power2", "power3"
        with ``queue_exponent`` 2, "log", "log2"), ``partial_fills``, ``walks_book``,
        ``snapshot_edge``, ``late_trades`` and ``exact_queues`` True, ``self_trade``
        "expire_maker" (or "expire_taker", "expire_both", "ignore"), ``amend`` "loses_place" (or
        "keeps_on_decrease"), ``max_orders`` and ``max_trigger_orders`` 200, ``max_order_rate``
        none (rows of (orders, in ns): Binance futures have (300, 10e9) and (1200, 60e9)),
        ``tick_impact_y`` 0 (square-root law beyond a taker's walk).
        ``half_spread_bps`` 0, ``slippage_floor_bps`` 1,
        ``impact_y`` 1.0 (square-root law of the whole order: a slice pays what it adds),
        ``max_participation`` 0.01, ``cost_multiplier`` 1, ``margin`` cross (or isolated),
        ``reducing`` "one_order" (or "fill_or_kill", "two_tiers": what a liquidation tries first),
        ``funding_jitter_ns`` 0 (fills so near a settlement pay adverse funding, receive none),
        ``insurance_fund`` (never empty), ``triggered_stops`` "trade" (or "refuse": a stop that
        arrives when its trigger has been reached), ``stop_margin`` "arrival_and_trigger" (when an
        order that waits for a trigger is asked for its margin; or "trigger": then alone),
        ``waiting_amends`` "refuse" (or "take": orders that wait for a trigger can be amended),
        ``multi_assets`` none (a dictionary:
        ``wallet``; ``assets``, rows of (name, ratio, conversion, debt limit, largest), each of the
        four rows of (ns, value) or none but the ratio; ``loan_to_value``, such rows),
        ``transfer_delay_ns`` 0, ``transfer_fees`` none (rows of (asset, amount)).
        There is one venue for each that the instruments' ids name (what follows the last dot),
        with an account of its own; the n-th draws its latencies apart from the others.
    venues
        Settings of venues that have others than ``sim``, by name.
    hedged
        Long and short leg of each contract in hedge mode: the same contract by two ids, each a
        position of its own. Its data is added to the long leg.
    wallets
        ``(name, assets, instruments that settle in it)``; the instruments are of one venue.
    capital
        ``(sleeve, wallet name, asset, amount)``, booked at ``start``.
    prices
        What one unit of an asset of ``capital`` is worth at ``start``, where it is not counted one
        for one; equity begins with that, and the first mark goes on from it.
    valuation, at_par
        What equity is counted in, and assets counted one for one with it.
    sample_ns
        Grid of the equity rows.
    """

    def __new__(
        cls,
        instruments: Sequence[Instrument],
        sleeves: Sequence[str],
        features: Sequence[tuple[str, Mapping[str, str | float]]],
        series: Sequence[str],
        *,
        grid_ns: int,
        start: int,
        end: int,
        sim: Mapping[str, object] | None = None,
        wallets: Sequence[tuple[str, Sequence[str], Sequence[int]]] = ...,
        capital: Sequence[tuple[int, str, str, Decimal]] = ...,
        valuation: str = ...,
        at_par: Sequence[str] = ...,
        sample_ns: int = 3_600_000_000_000,
        venues: Mapping[str, Mapping[str, object]] = ...,
        hedged: Sequence[tuple[int, int]] = ...,
        prices: Mapping[str, Decimal] = ...,
    ) -> Line: ...
    def add_bars(
        self,
        instrument: int,
        interval_ns: int,
        ts_event: NDArray[np.int64],
        ts_recv: NDArray[np.int64],
        open: NDArray[np.int64],
        high: NDArray[np.int64],
        low: NDArray[np.int64],
        close: NDArray[np.int64],
        volume: NDArray[np.int64],
        count: NDArray[np.int64] | None = None,
        taker_buy: NDArray[np.int64] | None = None,
        flags: NDArray[np.uint32] | None = None,
        *,
        stream: int | None = None,
        more: bool = False,
    ) -> int:
        """Add bars of one interval; ``ts_event`` is the open, a negative count is missing."""

    def add_trades(
        self,
        instrument: int,
        ts_event: NDArray[np.int64],
        ts_recv: NDArray[np.int64],
        id: NDArray[np.int64],
        px: NDArray[np.int64],
        qty: NDArray[np.int64],
        side: NDArray[np.int8],
        flags: NDArray[np.uint32] | None = None,
        *,
        stream: int | None = None,
        more: bool = False,
    ) -> int:
        """Add trades; ``side`` is the aggressor's, +1 buy, -1 sell."""

    def add_deltas(
        self,
        instrument: int,
        ts_event: NDArray[np.int64],
        ts_recv: NDArray[np.int64],
        side: NDArray[np.int8],
        px: NDArray[np.int64],
        qty: NDArray[np.int64],
        flags: NDArray[np.uint32] | None = None,
        *,
        stream: int | None = None,
        more: bool = False,
    ) -> int:
        """Add book level changes, +1 bid, -1 ask; flags 1 is snapshot, 2 the frame's last row."""

    def add_quotes(
        self,
        instrument: int,
        ts_event: NDArray[np.int64],
        ts_recv: NDArray[np.int64],
        bid: NDArray[np.int64],
        bid_qty: NDArray[np.int64],
        ask: NDArray[np.int64],
        ask_qty: NDArray[np.int64],
        flags: NDArray[np.uint32] | None = None,
        *,
        stream: int | None = None,
        more: bool = False,
    ) -> int:
        """Add best bids and asks."""

    def add_marks(
        self,
        instrument: int,
        ts_event: NDArray[np.int64],
        ts_recv: NDArray[np.int64],
        mark: NDArray[np.int64],
        flags: NDArray[np.uint32] | None = None,
        *,
        stream: int | None = None,
        more: bool = False,
    ) -> int:
        """Add recorded marks; they replace the last traded price as mark."""

    def add_funding(
        self,
        instrument: int,
        ts_event: NDArray[np.int64],
        ts_recv: NDArray[np.int64],
        rate: NDArray[np.int64],
        rate_exp: int,
        flags: NDArray[np.uint32] | None = None,
        *,
        stream: int | None = None,
        more: bool = False,
    ) -> int:
        """Add settled funding rates, integers of ``10**-rate_exp``; stamps go to the minute."""

    def expect_funding(self, instrument: int, times: Sequence[int]) -> None:
        """Name times (ns) at which funding is due without a row: to hold a position then fails."""

    def add_external(
        self,
        series: int,
        ts_event: NDArray[np.int64],
        ts_recv: NDArray[np.int64],
        values: NDArray[np.float64],
        *,
        stream: int | None = None,
        more: bool = False,
    ) -> int:
        """Add points of an outside series; NaN is left out."""

    def add_gaps(
        self,
        instrument: int,
        ts_event: NDArray[np.int64],
        ts_recv: NDArray[np.int64],
        *,
        stream: int | None = None,
        more: bool = False,
    ) -> int:
        """Add points before which events are missing: the book is invalid until a snapshot."""

    def add_deleverage(self, instrument: int, ts: int, fraction: Decimal) -> None:
        """Let the venue take a share of the position held at ``ts``, at the mark, free of charge.

        That is what the venue's account holds, known to us or not. The fill is tagged ``adl``.
        ``fraction`` is above 0 and at most 1; whole lots, rounded down.
        """
    def complete(self, stream: int) -> None:
        """Say that a stream added with ``more`` has no more parts."""

    @property
    def wants(self) -> int | None:
        """The stream whose next part the line waits for."""

    def adopt(self, before: Line) -> None:
        """Go on with the money, orders and rows of an ended segment; features start anew.

        ``before`` is left empty. Call it before the first :meth:`next`, with ``capital=()``.
        """

    def next(self) -> int:
        """Run to the next wake-up, and say which.

        0 nothing more, 1 timer, 2 account, 3 gap, 4 data end, 5 alarm; 6 is none: the next
        part of the stream :attr:`wants` has to be added first.
        """

    def research(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Run all timers without a step: times (n,) and features (n, n_features).

        Where :attr:`wants` says what is missing, they are those so far: the next call goes on.
        """

    @property
    def now(self) -> int: ...
    @property
    def seq(self) -> int:
        """Events that became known, and answers that arrived."""

    @property
    def gap(self) -> int | None:
        """Instrument of the gap that woke the step."""

    @property
    def features(self) -> NDArray[np.float64]:
        """Read-only (n_features,), the same array always, rewritten at each wake-up."""

    @property
    def feature_names(self) -> list[str]: ...
    def place(
        self,
        order_id: int,
        instrument: int,
        is_buy: bool,
        quantity: int,
        type_code: int,
        price: int | None,
        stop: int | None,
        reduce_only: bool,
        allocations: Sequence[tuple[int, int]],
        tif: int = 0,
        by_mark: bool = False,
        callback_ppm: int = 0,
        close_position: bool = False,
        position_side: int = 0,
    ) -> None:
        """Send an order.

        ``type_code`` is 0 market, 1 limit, 2 post-only, 3 stop, 4 take-profit, 5 trailing stop;
        ``tif`` is 0 until cancelled, 1 immediate or cancel, 2 fill or kill, 3 post-only (of
        limits, stops and take-profits with a price). ``stop`` is a trigger, of a trailing stop the
        price that activates it; ``price`` makes a stop or take-profit a limit order once it is
        triggered; ``callback_ppm`` is a trailing stop's distance, millionths. ``close_position``
        trades what is held at the trigger, at most ``quantity``. ``position_side`` is 1 long, -1
        short in hedge mode, 0 in one-way mode; at the long leg, -1 means the short one.
        ``allocations`` are ``(sleeve, signed quantity)`` and sum to the signed quantity.
        The venue refuses what breaks its rules (see ``reason`` of :meth:`answers`).
        """

    def send(self, commands: tuple[Command, ...], first: int) -> int:
        """Send cancels and quotes from ``commands[first]`` on.

        Returns the number of the first command that is neither, or a quote of an instrument in
        hedge mode; ``len(commands)`` where there is none.
        """

    def cancel(self, order_id: int) -> None:
        """Ask for a cancellation; of an order that is done the venue says that it has none."""

    def amend(
        self, order_id: int, price: int | None, quantity: int, stop: int | None = None
    ) -> None:
        """Ask for another limit price or quantity (that of the whole order, filled or not).

        ``stop`` is another trigger of a stop or take-profit that waits; whether the venue takes an
        amendment of such an order is its rule, ``waiting_amends``.
        """

    def submit(
        self,
        order_id: int,
        instrument: int,
        is_buy: bool,
        quantity: int,
        price: int | None,
        type_code: int = 1,
        tif: int = 0,
    ) -> None:
        """Send an order of the first sleeve; codes as for :meth:`place`."""

    def open_orders(self, instrument: int) -> list[tuple[int, bool, int, int, int, bool, bool]]:
        """Orders that may still trade, as far as we know, oldest first.

        Each is id, whether it buys, price (-1: none), quantity, filled, whether the venue has
        said that it has it, whether a cancellation may be asked for.
        """

    def shown_orders(
        self, instrument: int, tick: int, lot: int
    ) -> list[
        tuple[
            int,
            int,
            int | None,
            int,
            int,
            int,
            str,
            bool,
            str,
            int,
            tuple[int, int | None, bool, int, bool, bool, int] | None,
        ]
    ]:
        """Orders that are done and not forgotten, then open ones, as far as we know.

        Each is id, side (+1 buy), price in ``tick``, quantity, what has traded of it and what
        has not in ``lot``, status (sent, working, triggered, filled, cancelled, rejected), whether
        a cancellation may be asked for, why it was refused, when it was sent, and what else binds
        it: type (see :meth:`place`), trigger in ``tick``, whether by the mark, callback in
        millionths, whether it only reduces, whether it closes the position, position side;
        ``None`` of a plain order.
        """

    def forget_ended(self, instrument: int) -> None:
        """Leave what is done by now out of :meth:`shown_orders`."""

    def trades(self, instrument: int) -> NDArray[np.int64]:
        """Return trades since they were forgotten or first asked for: (n, 5).

        Columns are venue time, time known, price, quantity, side of the aggressor (+1 buy).
        """

    def forget_trades(self, instrument: int) -> None: ...
    def feed_latency(self, instrument: int) -> tuple[int, int] | None:
        """Venue time of the last market event that became known, and when it did."""

    def order_latency(self, instrument: int) -> tuple[int, int, int] | None:
        """When the last answered message about an order was sent, acted on, and answered."""

    def tally(self, instrument: int) -> tuple[int, int, Decimal, Decimal, Decimal]:
        """Sum up the fills: number, quantity, notional, notional sold less bought, fees paid."""

    def qty_at(self, instrument: int, is_bid: bool, price: int) -> int:
        """Known quantity at a price, 0 where there is no level or no valid book."""

    def pass_to(self, until: int) -> bool | None:
        """Let time pass to ``until``, folding what arrives; whether the tape goes on.

        ``None``: a part of the stream :attr:`wants` has to be added, then the same call goes on.
        """

    def answered(self, order_id: int) -> int:
        """Return how many answers to an order have arrived."""

    def placed(self, order_id: int) -> tuple[int, bool]:
        """Return the instrument of an order that was sent, and whether it has a limit price."""

    def wait_for(self, order_id: int, before: int, until: int) -> bool | None:
        """Let time pass until more than ``before`` answers have arrived, to ``until`` at most.

        Whether they have; ``None`` as for :meth:`pass_to`.
        """

    def run(self, strategy: str, parameters: Mapping[str, float]) -> int | None:
        """Run to the end with a strategy in Rust; how often it was asked.

        ``None`` where :attr:`wants` says what is missing; the same call then goes on.

        Distances are in ticks, quantities in grid units; each takes ``instrument`` too, 0 if it
        is left out.

        - ``"grid"``: ``levels``, ``gap``, ``quantity``, ``most`` (the largest position).
        - ``"glft"``: ``gamma`` (aversion to risk, per tick and quote), ``window`` and ``refit``
          (wake-ups of the clock), ``reach`` (largest distance that is fitted), ``quantity``,
          ``most``.
        - ``"imbalance"``: ``levels``, ``enter``, ``leave`` (signals, -1 to 1), ``quantity``,
          ``slip``.
        - ``"twap"``: ``side`` (1 buy, -1 sell), ``quantity``, ``slices``, ``slice_ns``,
          ``rest_ns`` (how long a slice's limit order rests before the rest is taken).
        """

    def wake_at(self, ts: int) -> None:
        """Ask to be woken at a time after now, once."""

    def transfer(
        self,
        sleeve: int,
        source: int,
        target: int,
        asset: str,
        amount: Decimal,
        fee: Decimal | None = None,
    ) -> int:
        """Send a sleeve's money from one wallet to another; the source pays the fee on top.

        Without ``fee`` it is that of the venue's terms. The money leaves now and arrives after
        ``transfer_delay_ns``; what is not free, or more than the target takes as collateral, is
        refused by an answer. Returns the transfer's number, from 1.
        """

    def internal_cross(
        self, instrument: int, px: int, allocations: Sequence[tuple[int, int]]
    ) -> None:
        """Let sleeves trade with each other at ``px``; the parts sum to zero."""

    def set_leverage(self, instrument: int, leverage: int) -> None: ...
    def answers(
        self, quotes: LiveQuotes | None = None
    ) -> list[tuple[str, int, int, int, int, int, int, bool, bool, Decimal, str]]:
        """Take what the venue said since the last call; what it said of ``quotes`` goes to them.

        ``(kind, ts_event, ts_recv, order_id, instrument, px, qty, is_buy, is_taker, amount,
        reason)``; kind is ack, fill, reject, triggered (of an order
        with a limit), cancelled or funding; amount is the fee of a fill
        (positive if paid) or the funding received. Of money: converted (amount of the settle
        asset received, reason is the cause), transferred and transfer_refused (order_id is the
        transfer's number).
        """

    def last_price(self, instrument: int) -> int | None:
        """Last known trade or bar close."""

    def px(self, instrument: int) -> int:
        """Return the last known trade or bar close; 0 where there is none."""

    def day_volume(self, instrument: int) -> int:
        """Return the known volume of the last 24 hours, of the instrument's shortest bars."""

    def price_age(self, instrument: int) -> int | None:
        """Return ns since the last known trade, or the end of the last bar with volume."""

    def mark(self, instrument: int) -> int | None: ...
    def top(self, instrument: int) -> tuple[int, int, int, int] | None:
        """Known best bid, its quantity, best ask, its quantity."""

    def levels(self, instrument: int, count: int) -> list[NDArray[np.int64]] | None:
        """Known bids and asks from the touch outwards: each (n, 2), price and quantity.

        ``n`` is at most ``count``; ``None`` while there is no valid book.
        """

    def position(self, instrument: int) -> int: ...
    def sleeve_position(self, sleeve: int, instrument: int) -> int: ...
    def positions(self, sleeve: int) -> list[int]: ...
    def entry_price(self, sleeve: int, instrument: int) -> Decimal | None: ...
    def entry_price_approx(self, sleeve: int, instrument: int) -> float:
        """Return the average price of a sleeve's position, for sizing only; NaN if flat."""

    def equity(self) -> Decimal: ...
    def equity_approx(self) -> float:
        """Return equity rounded to a float, for sizing only."""

    def sleeve_equity(self, sleeve: int) -> Decimal: ...
    def sleeve_equity_approx(self, sleeve: int) -> float: ...
    def attribution(self, sleeve: int) -> dict[str, Decimal]:
        """Return price, funding, basis, fees, spread, impact and transfer_fees, signed."""

    def balance(self, wallet: int, asset: str) -> Decimal: ...
    def in_flight(self, wallet: int, asset: str) -> Decimal:
        """Return what is on its way to a wallet: in no balance, but part of the equity."""

    def sleeve_balance(self, sleeve: int, wallet: int, asset: str) -> Decimal: ...
    def sleeve_balance_approx(self, sleeve: int, wallet: int, asset: str) -> float: ...
    def sleeve_margin_approx(self, sleeve: int, wallet: int, asset: str) -> float:
        """Return balance plus unrealised P&L at the last known prices, for sizing only."""

    def margin(self, wallet: int, asset: str) -> dict[str, Decimal]:
        """Balance, unrealised, margin_balance, initial, maintenance, available, leverage_pnl.

        The last one is what Binance ranks accounts by for auto-deleveraging, highest first.
        """

    def fills(self) -> dict[str, NDArray[np.int64] | bytes | list[str]]:
        """Return all fills as columns.

        int64: order_id, ts_event, ts_recv, instrument, side (+1 buy), px, qty, reference,
        is_taker, ``qty.<sleeve>`` (signed). Bytes of little-endian ``decimal128(38, 18)``, here
        and below wherever money is: fee, impact (price units), and each sleeve's share as it was
        booked, positive if paid: ``fee.<sleeve>``, ``spread.<sleeve>``, ``impact.<sleeve>``.
        Texts: tag.
        """

    def orders(self) -> dict[str, NDArray[np.int64] | list[str]]:
        """Return all orders as columns; a missing price or stop is the least int64."""

    def liquidations(self) -> dict[str, NDArray[np.int64] | bytes]:
        """Return the orders by which the venue closed positions, as columns.

        int64: order_id, ts_event, ts_recv, instrument, side, qty, bankruptcy, is_takeover, is_adl.
        Money: insurance (what the fund paid once all was closed), deficit (at the mark).
        """

    def conversions(self) -> dict[str, NDArray[np.int64] | bytes | list[str]]:
        """Return the collateral that the venue converted to balance debts, as columns.

        int64: ts_event, ts_recv, instrument (a contract that settles in what was received). Texts:
        asset (given), cause (negative_balance, liquidation, loan_to_value). Money: given,
        received, price (before the venue's cut).
        """

    def transfers(self) -> dict[str, NDArray[np.int64] | bytes | list[str]]:
        """Return the transfers between wallets, as columns.

        int64: ts, arrives. Texts: sleeve, source, target, asset, status (in_flight, arrived,
        refused), reason. Money: amount, fee.
        """

    def equity_rows(self) -> dict[str, NDArray[np.int64] | NDArray[np.float64] | bytes]:
        """Return the equity rows as columns.

        int64: ts, ``position.<instrument>``, ``position.<sleeve>.<instrument>``. Money: equity,
        ``equity.<sleeve>``, ``deposits.<sleeve>``, ``<part>.<sleeve>`` for the parts of
        :meth:`attribution`, ``balance.<wallet>.<asset>``. Float: ``margin_ratio.<wallet>.<asset>``.
        Per sleeve equity = deposits + the parts, exactly.
        """

    def round_trips(self) -> dict[str, object]:
        """Return closed round trips: sleeve, base, entry_ts, exit_ts, money columns, legs.

        A row of ``legs`` lists ``(instrument, quantity, entry price, exit price)``.
        """

    def flows(self) -> dict[str, NDArray[np.int64] | bytes | list[str]]:
        """Return external cash flows: ts, sleeve, wallet, asset, amount, value."""

@final
class LiveQuotes:
    """Sleeves' quotes that live at the venues; ``execution.order_manager`` holds them.

    It counts what these and sleeves' other orders may still trade, too. What tells of one order
    returns whether it is one of them.
    """

    def __new__(cls) -> LiveQuotes: ...
    def take_up(self, commands: tuple[Command, ...], last_id: int) -> list[Command]:
        """Note what is about to leave; return the commands that are about no quote.

        ``last_id`` is the last number that was given.
        """

    def place(self, order: Order, last_id: int) -> bool: ...
    def cancel(self, order_id: int) -> bool: ...
    def amend(self, order: Order) -> bool:
        """Note that a quote is being changed; ``order`` is what it is to be."""

    def on_ack(self, order_id: int) -> bool: ...
    def on_fill(self, order_id: int, quantity: int) -> bool: ...
    def on_cancelled(self, order_id: int) -> bool: ...
    def on_reject(self, order_id: int) -> bool:
        """Note a refusal; of a quote that rests it means that its cancel was refused."""

    def on_kept(self, order_id: int) -> bool:
        """Note that the venue refused to cancel or to change one: it works on as it was."""

    def on_amended(self, order_id: int, quantity: int) -> bool: ...
    def working(self, sleeve: int, instrument: int) -> int:
        """Return what a sleeve's orders may still trade, signed."""

    def selling(self, sleeve: int, instrument: int) -> int:
        """Return what of ``working`` is to be sold, not positive."""

    def taking(self, sleeve: int, instrument: int) -> int:
        """Return what of ``working`` is no quote's."""

    def count(self, sleeve: int, instrument: int, change: int, is_sale: bool) -> None:
        """Add to what orders that are no quotes may still trade, signed as a position."""

    @property
    def is_touched(self) -> bool: ...
    def touched(self) -> set[int]:
        """Return the instruments with news since they were last forgotten."""

    def forget_touched(self) -> None: ...
    def live(self) -> list[tuple[int, int, int, int, int, int, bool, int | None]]:
        """Return all of them, oldest first.

        ``(id, sleeve, instrument, price, quantity, filled, is_cancelling, amended)``: the price of
        a sale is negative, ``amended`` the quantity that it is being changed to.
        """

    def reset(self) -> None: ...

@final
class QuoteDesk:
    """What sleeves want to rest in the book; ``execution.quoting`` has one."""

    def __new__(cls, messages: int, window_ns: int, refill: float, amends: bool) -> QuoteDesk: ...
    def want(
        self, sleeve: int, instrument: int, quotes: tuple[Quote, ...], reason: str
    ) -> None: ...
    def unwant(self, sleeve: int, instrument: int) -> None: ...
    def give_up(self, order: Order, left: int | None) -> None:
        """Want no more than ``left`` at the price of a quote that risk cut or refused."""

    def pull(self, live: LiveQuotes, instrument: int | None, reason: str) -> tuple[Cancel, ...]:
        """Forget what is wanted, and take back what lives."""

    def is_idle(self, live: LiveQuotes) -> bool:
        """Return whether nothing else is wanted than before, and no answer came."""

    def plan(
        self,
        live: LiveQuotes,
        view: AccountView,
        last_id: int,
        is_timer: bool,
        has_news: bool,
        reason: str,
    ) -> (
        tuple[
            tuple[Cancel, ...],
            tuple[tuple[Order, Order], ...],
            tuple[Order, ...],
            tuple[tuple[Order, int], ...],
            int,
        ]
        | None
    ):
        """Return what brings the quotes to those wanted; ``None`` while nothing changes.

        Cancels (with the ``reason``), orders that get smaller (before, after), orders to be sent,
        orders withheld with the sleeve that is in the way, and the last number that was given.
        """

    def reset(self) -> None: ...

@final
class Ledger:
    """Money and positions; ``core.ledger.Ledger`` wraps it."""

    def __new__(
        cls,
        instruments: Sequence[Instrument],
        sleeves: Sequence[str],
        wallets: Sequence[tuple[str, Sequence[str], Sequence[int]]],
        asset: str,
        at_par: Sequence[str],
    ) -> Ledger: ...
    def set_leverage(self, instrument: int, leverage: int) -> None: ...
    def deposit(self, ts: int, sleeve: int, wallet: int, asset: str, amount: Decimal) -> None: ...
    def withdraw(self, ts: int, sleeve: int, wallet: int, asset: str, amount: Decimal) -> None: ...
    def transfer(
        self, sleeve: int, source: int, target: int, asset: str, amount: Decimal, fee: Decimal
    ) -> None: ...
    def apply_fill(
        self,
        ts: int,
        instrument: int,
        px: int,
        qty: int,
        fee: Decimal,
        reference: int,
        impact: Decimal,
        parts: Sequence[tuple[int, int]],
    ) -> None: ...
    def internal_cross(
        self, ts: int, instrument: int, px: int, parts: Sequence[tuple[int, int]]
    ) -> None: ...
    def apply_funding(self, ts: int, instrument: int, rate: Decimal, mark: int) -> Decimal: ...
    def book_funding(self, ts: int, instrument: int, amount: Decimal, rate: Decimal) -> None: ...
    def mark(self, instrument: int, px: int) -> None: ...
    def fee(self, instrument: int, px: int, qty: int, is_taker: bool, ts: int) -> Decimal: ...
    def equity(self) -> Decimal: ...
    def sleeve_equity(self, sleeve: int) -> Decimal: ...
    def deposits(self, sleeve: int) -> Decimal: ...
    def attribution(
        self, sleeve: int
    ) -> tuple[Decimal, Decimal, Decimal, Decimal, Decimal, Decimal, Decimal]: ...
    def position(self, instrument: int) -> tuple[int, Decimal]: ...
    def sleeve_position(self, sleeve: int, instrument: int) -> tuple[int, Decimal]: ...
    def balance(self, wallet: int, asset: str) -> Decimal: ...
    def sleeve_balance(self, sleeve: int, wallet: int, asset: str) -> Decimal: ...
    def margin(
        self, wallet: int, asset: str, ts: int
    ) -> tuple[Decimal, Decimal, Decimal, Decimal, Decimal, Decimal]: ...
    def round_trips(
        self,
    ) -> list[
        tuple[
            int,
            str,
            int,
            int,
            list[tuple[int, int, Decimal, Decimal]],
            tuple[Decimal, Decimal, Decimal, Decimal, Decimal],
        ]
    ]: ...
    def flows(self) -> list[tuple[int, int, int, str, Decimal, Decimal]]: ...

def prorate(order: Sequence[tuple[int, int]], filled: int, qty: int) -> list[tuple[int, int]]:
    """Share a fill; ``core.ledger.prorate`` wraps it."""
