"""The account view: what the decision stages read, straight from the native line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial
from math import nan

from crypto_quant.core.errors import InvariantError
from crypto_quant.core.messages import Wallet
from crypto_quant.core.terms import TermsTable
from crypto_quant.core.tickets import OrderReport
from crypto_quant.execution.netting import Netting
from crypto_quant.execution.order_manager import OrderManager
from crypto_quant.runtime.line import RecordedLine
from crypto_quant.runtime.line_spec import settings_of, transfer_terms

DAY_NS = 86_400 * 10**9
SPOT, MARGIN = Wallet.SPOT, Wallet.MARGIN


class LineView:
    """``core.ports.AccountView`` over a line; only the equity at midnight is remembered.

    Parameters
    ----------
    terms
        Order rules, for the value of a grid unit.
    orders
        Counts what the sleeves' live orders may still trade.
    netting
        Keeps the stops of the sleeves' positions.
    leverage
        The venue's setting for contracts.
    """

    __slots__ = (
        "_balance",
        "_contracts",
        "_costs",
        "_day",
        "_delays",
        "_leverage",
        "_margin",
        "_native",
        "_priced",
        "_quote",
        "_quotes",
        "_report",
        "_sleeves",
        "_stop_px",
        "_terms",
        "_wallet",
        "answers",
        "day_start_equity",
        "entry_price",
        "equity",
        "exits",
        "features",
        "now",
        "position",
        "px",
        "selling",
        "sleeve_equity",
        "top",
        "working",
    )

    def __init__(
        self, terms: TermsTable, orders: OrderManager, netting: Netting, leverage: int
    ) -> None:
        self._terms = terms
        self._quotes = quotes = orders.quotes
        self.working = quotes.working
        self.selling = quotes.selling
        self.exits = orders.named.exits
        self._priced = orders.named.priced
        self._report = orders.named.report
        self._stop_px = netting.stop_px
        self._leverage = leverage
        self._day = -1
        self.now = 0
        self.equity = self.day_start_equity = nan

    def bind(self, line: RecordedLine) -> None:
        """Look at a line from now on; a new segment has begun."""
        native = self._native = line.native
        self.answers = partial(native.answers, self._quotes)
        self.features = native.features
        # What is read often is the native method itself: no frame of Python in between.
        self.px = native.px
        self.top = native.top
        self.position = native.sleeve_position
        self.entry_price = native.entry_price_approx
        self.sleeve_equity = native.sleeve_equity_approx
        self._balance = native.sleeve_balance_approx
        self._margin = native.sleeve_margin_approx
        self._quote = line.spec.quote
        self._sleeves = range(len(line.spec.sleeves))
        accounts = line.accounts
        self._wallet = accounts.wallet
        by_name = {venue: accounts.of(MARGIN, venue) for venue in accounts.venues}
        only = {"": accounts.of(MARGIN)} if len(by_name) == 1 else {}
        self._contracts = only | by_name
        self._delays = dict.fromkeys(self._contracts, 0)
        self._costs = dict.fromkeys(self._contracts, 0.0)
        sim, own = settings_of(line.spec.sim, accounts.venues)
        for venue in self._contracts:
            terms = own.get(venue or accounts.venues[0], sim or {})
            self._delays[venue], self._costs[venue] = transfer_terms(terms, self._quote)

    def wake(self) -> int:
        """Take time and equity of a wake-up, which begins a new day or not; return the time."""
        now = self.now = self._native.now
        self.equity = self._native.equity_approx()
        day = now // DAY_NS
        if day != self._day:
            self._day = day
            self.day_start_equity = self.equity
        return now

    @property
    def gap(self) -> int | None:
        """Instrument of the gap that woke the step."""
        return self._native.gap

    def price_age(self, instrument: int) -> int | None:
        """Return how long ago the instrument was last traded; ``None`` if not known to be."""
        return self._native.price_age(instrument)

    def day_volume(self, instrument: int) -> int:
        """Return the known volume of the last 24 hours, of the instrument's shortest bars."""
        return self._native.day_volume(instrument)

    def bid_px(self, instrument: int) -> int:
        """Return the best bid; 0 without a valid book."""
        top = self.top(instrument)
        return 0 if top is None else top[0]

    def ask_px(self, instrument: int) -> int:
        """Return the best ask; 0 without a valid book."""
        top = self.top(instrument)
        return 0 if top is None else top[2]

    def cash(self, sleeve: int, wallet: Wallet, venue: str = "") -> float:
        """Return what a sleeve may spend from or move out of a wallet."""
        balance = self._balance(sleeve, self._wallet(wallet, venue), self._quote)
        if wallet is SPOT:
            return balance
        held = [(n, self.position(sleeve, n)) for n in self._contracts[venue]]
        used = sum(self._margin_of(n, q) for n, q in held)
        return max(0.0, min(balance, self.margin_balance(sleeve, venue)) - used)

    def margin_balance(self, sleeve: int, venue: str = "") -> float:
        """Return balance plus unrealised P&L of a sleeve's contracts at a venue."""
        return self._margin(sleeve, self._wallet(MARGIN, venue), self._quote)

    def coming(self, venue: str = "") -> float:
        """Return the quote asset that is on its way to the wallets of a venue, of all sleeves."""
        if not self._delays[venue]:  # at once: asked often
            return 0.0
        numbers = (self._wallet(wallet, venue) for wallet in (SPOT, MARGIN))
        return sum(float(self._native.in_flight(number, self._quote)) for number in numbers)

    def transfer_fee(self, venue: str = "") -> float:
        """Return what a transfer of the quote asset out of a wallet of a venue costs."""
        return self._costs[venue]

    def worth(self, wallet: Wallet, venue: str = "") -> float:
        """Return the quote asset of all sleeves in a wallet, with open P&L and what is coming."""
        number = self._wallet(wallet, venue)
        own = sum(self._margin(sleeve, number, self._quote) for sleeve in self._sleeves)
        return own + float(self._native.in_flight(number, self._quote))

    @property
    def openings(self) -> Mapping[tuple[int, int], Sequence[tuple[int, int]]]:
        """What sleeves' own orders that may open may still trade, each at its own price."""
        return self._priced()

    def order(self, sleeve: int, name: str) -> OrderReport | None:
        """Return what is known of the last order that a sleeve sent itself under a name."""
        return self._report((sleeve, name))

    def stop_px(self, sleeve: int, instrument: int) -> int | None:
        """Return the stop in force of a sleeve's position; ``None`` where it has none."""
        return self._stop_px(sleeve, instrument, self.position(sleeve, instrument))

    def exact_equity(self) -> Decimal:
        """Return the equity of the whole account, exact."""
        return self._native.equity()

    def exact_cash(self, sleeve: int, wallet: Wallet, venue: str = "") -> Decimal:
        """Return the spendable quote asset of a sleeve in a wallet, exact."""
        if wallet is not SPOT:
            raise InvariantError("exact cash is asked for in the spot wallet only")
        return self._native.sleeve_balance(sleeve, self._wallet(wallet, venue), self._quote)

    def _margin_of(self, instrument: int, quantity: int) -> float:
        if not quantity:
            return 0.0
        terms = self._terms.at(self.now)[instrument]
        return abs(quantity) * terms.worth(self.px(instrument)) / self._leverage
