"""The account view: what the decision stages read, straight from the native line."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from math import nan

from crypto_quant.core.errors import InvariantError
from crypto_quant.core.messages import Wallet
from crypto_quant.core.terms import TermsTable
from crypto_quant.runtime.line import RecordedLine

DAY_NS = 86_400 * 10**9


class LineView:
    """``core.ports.AccountView`` over a line; only the equity at midnight is remembered.

    Parameters
    ----------
    terms
        Order rules, for the value of a grid unit.
    working
        The order manager's count of what a sleeve's live orders may still trade.
    leverage
        The venue's setting for contracts.
    """

    __slots__ = (
        "_contracts",
        "_day",
        "_leverage",
        "_line",
        "_native",
        "_quote",
        "_spot",
        "_terms",
        "answers",
        "day_start_equity",
        "features",
        "now",
        "working",
    )

    def __init__(
        self, terms: TermsTable, working: Callable[[int, int], int], leverage: int
    ) -> None:
        self._terms = terms
        self.working = working
        self._leverage = leverage
        self._day = -1
        self.now = 0
        self.day_start_equity = nan

    def bind(self, line: RecordedLine) -> None:
        """Look at a line from now on; a new segment has begun."""
        self._line = line
        self._native = line.native
        self.answers = line.native.answers
        self.features = line.native.features
        self._quote = line.spec.quote
        kinds = [i.contract for i in line.spec.instruments]
        self._contracts = [n for n, kind in enumerate(kinds) if kind != "spot"]
        self._spot = [n for n, kind in enumerate(kinds) if kind == "spot"]

    def wake(self) -> int:
        """Take the time of a wake-up; note the equity of a new day. Returns the time."""
        now = self.now = self._native.now
        day = now // DAY_NS
        if day != self._day:
            self._day = day
            self.day_start_equity = self._native.equity_approx()
        return now

    @property
    def equity(self) -> float:
        """Equity of the whole account."""
        return self._native.equity_approx()

    @property
    def initial_margin(self) -> float:
        """Initial margin of the account's net contract positions."""
        return sum(self._margin_of(n, self._native.position(n)) for n in self._contracts)

    def px(self, instrument: int) -> int:
        """Return the last known price; 0 when there is none."""
        return self._native.last_price(instrument) or 0

    def bid_px(self, instrument: int) -> int:
        """Return the best bid; 0 without a valid book."""
        top = self._native.top(instrument)
        return 0 if top is None else top[0]

    def ask_px(self, instrument: int) -> int:
        """Return the best ask; 0 without a valid book."""
        top = self._native.top(instrument)
        return 0 if top is None else top[2]

    def position(self, sleeve: int, instrument: int) -> int:
        """Return a sleeve's signed position."""
        return self._native.sleeve_position(sleeve, instrument)

    def entry_price(self, sleeve: int, instrument: int) -> float:
        """Return the average price of a sleeve's position; NaN if flat."""
        price = self._native.entry_price(sleeve, instrument)
        return nan if price is None else float(price)

    def sleeve_equity(self, sleeve: int) -> float:
        """Return the equity of a sleeve's virtual book."""
        return self._native.sleeve_equity_approx(sleeve)

    def cash(self, sleeve: int, wallet: Wallet) -> float:
        """Return what a sleeve may spend from or move out of a wallet."""
        balance = float(self._native.sleeve_balance(sleeve, int(wallet), self._quote))
        if wallet is Wallet.SPOT:
            return balance
        held = [(n, self.position(sleeve, n)) for n in self._contracts]
        used = sum(self._margin_of(n, q) for n, q in held)
        return max(0.0, min(balance, balance + self._unrealised(sleeve)) - used)

    def margin_balance(self, sleeve: int) -> float:
        """Return balance plus unrealised P&L of a sleeve's contracts."""
        balance = self._native.sleeve_balance(sleeve, int(Wallet.MARGIN), self._quote)
        return float(balance) + self._unrealised(sleeve)

    def exact_equity(self) -> Decimal:
        """Return the equity of the whole account, exact."""
        return self._native.equity()

    def exact_cash(self, sleeve: int, wallet: Wallet) -> Decimal:
        """Return the spendable quote asset of a sleeve in a wallet, exact."""
        if wallet is not Wallet.SPOT:
            raise InvariantError("exact cash is asked for in the spot wallet only")
        return self._native.sleeve_balance(sleeve, int(wallet), self._quote)

    def _margin_of(self, instrument: int, quantity: int) -> float:
        if not quantity:
            return 0.0
        terms = self._terms.at(self.now)[instrument]
        worth = self.px(instrument) * terms.price_unit * terms.size_unit
        return abs(quantity) * worth / self._leverage

    def _unrealised(self, sleeve: int) -> float:
        total = 0.0
        for n in self._contracts:
            quantity = self.position(sleeve, n)
            if quantity:
                terms = self._terms.at(self.now)[n]
                gain = self.px(n) * terms.price_unit - self.entry_price(sleeve, n)
                total += quantity * terms.size_unit * gain
        return total
