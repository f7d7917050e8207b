"""Instruments: what is traded, on which grid, under which dated rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Generic, Literal, TypeAlias, TypeVar

from crypto_quant import _native
from crypto_quant.core.errors import ConfigError

T = TypeVar("T")
ContractKind = Literal["spot", "linear", "inverse"]
_MarginRows: TypeAlias = list[tuple[int, list[tuple[Decimal | None, Decimal, int, Decimal]]]]


@dataclass(frozen=True, slots=True)
class Row(Generic[T]):
    """A value in force from ``valid_from`` (ns UTC), and where it was read."""

    valid_from: int
    value: T
    source: str


@dataclass(frozen=True, slots=True)
class Dated(Generic[T]):
    """Rows that replace one another, oldest first; never empty."""

    rows: tuple[Row[T], ...]

    def at(self, ts: int) -> tuple[T, bool]:
        """Return the value in force at ``ts`` and whether a source covers that time.

        A time before the first row gets the first row, not sourced: a rule is never
        made up.
        """
        current = self.rows[0]
        for row in self.rows:
            if row.valid_from > ts:
                break
            current = row
        return current.value, current.valid_from <= ts


@dataclass(frozen=True, slots=True)
class Fees:
    """Fractions of notional; a negative maker fee is a rebate."""

    maker: Decimal
    taker: Decimal


@dataclass(frozen=True, slots=True)
class Bracket:
    """Maintenance-margin tier up to ``cap`` of notional (``None``: no cap).

    ``cap`` and ``cum`` are in the instrument's ``bracket_unit``.
    """

    cap: Decimal | None
    mmr: Decimal
    max_leverage: int
    cum: Decimal


@dataclass(frozen=True, slots=True)
class PriceBands:
    """How far from the mark orders may be priced and may trade.

    A buy limit is at most ``up`` times the mark, a sell limit at least ``down`` times; a
    market order trades at most the fraction ``take`` away from it.
    """

    up: Decimal
    down: Decimal
    take: Decimal


@dataclass(frozen=True, slots=True)
class Instrument:
    """A contract and its dated rules.

    ``price_exp`` and ``qty_exp`` are the decimals of the integer grid on which the
    market data of a run is held; ``tick`` and ``lot`` bind orders only. A table that
    has no sourced row is ``None`` (``fees``: empty): such a contract can be read, not
    traded. ``price_bands`` bind from their first row on, not before. ``contract`` and
    ``multiplier`` are one value for all time, as the ledger takes one; ``contract_rows``
    and ``multiplier_rows`` say since when a source shows it.
    ``liquidation_fee`` is a fraction of the notional that the venue liquidates; the taker's fee
    where there is none. ``fee_in_maintenance``: the venue asks for the taker's fee of closing the
    position beside its maintenance margin. The rates of brackets that are counted in contracts are
    those of the whole position.
    """

    id: str
    venue: str
    symbol: str
    contract: ContractKind
    base: str
    quote: str
    settle: str
    multiplier: Decimal
    price_exp: int
    qty_exp: int
    tick: Dated[Decimal] | None
    lot: Dated[Decimal] | None
    min_notional: Dated[Decimal] | None
    fees: dict[str, Dated[Fees]]
    brackets: Dated[tuple[Bracket, ...]] | None
    bracket_unit: Literal["quote", "base", "contracts"]
    funding_interval_h: Dated[int] | None
    valid_from: int | None
    valid_to: int | None
    contract_rows: Dated[ContractKind] | None = None
    multiplier_rows: Dated[Decimal] | None = None
    liquidation_fee: Dated[Decimal] | None = None
    price_bands: Dated[PriceBands] | None = None
    fee_in_maintenance: bool = False

    @property
    def margin_brackets(self) -> Dated[tuple[Bracket, ...]] | None:
        """The brackets in the unit that the ledger applies them in: see :attr:`margin_unit`.

        Those by contracts are turned into what that many contracts hold: coins of a linear
        contract, quote units of an inverse one.
        """
        if self.brackets is None or self.bracket_unit != "contracts":
            return self.brackets
        size = self.multiplier
        rows = [
            Row(
                row.valid_from,
                tuple(
                    Bracket(
                        None if b.cap is None else b.cap * size, b.mmr, b.max_leverage, b.cum * size
                    )
                    for b in row.value
                ),
                row.source,
            )
            for row in self.brackets.rows
        ]
        return Dated(tuple(rows))

    @property
    def margin_unit(self) -> Literal["quote", "base"]:
        """What caps and amounts of :attr:`margin_brackets` are counted in."""
        if self.bracket_unit == "contracts":
            return "quote" if self.contract == "inverse" else "base"
        return self.bracket_unit

    def native(self, tier: str = "VIP0") -> _native.Instrument:
        """Build the Rust twin with the fees of one tier.

        Raises
        ------
        ConfigError
            A rule that trading needs has no sourced row.
        """
        tick = self._sourced(self.tick, "tick")
        lot = self._sourced(self.lot, "lot")
        min_notional = self._sourced(self.min_notional, "min_notional")
        fees = self._sourced(self.fees.get(tier), f"fees of tier {tier}")
        return _native.Instrument(
            self.id,
            self.contract,
            self.base,
            self.quote,
            self.settle,
            self.multiplier,
            self.price_exp,
            self.qty_exp,
            _plain(tick),
            _plain(lot),
            _plain(min_notional),
            [(r.valid_from, (r.value.maker, r.value.taker)) for r in fees.rows],
            self._margin_rows(fees),
            self.valid_from,
            self.valid_to,
            self.margin_unit,
            None if self.liquidation_fee is None else _plain(self.liquidation_fee),
            None
            if self.price_bands is None
            else [
                (r.valid_from, (r.value.up, r.value.down, r.value.take))
                for r in self.price_bands.rows
            ],
        )

    def _margin_rows(self, fees: Dated[Fees]) -> _MarginRows | None:
        """Return the brackets as the ledger takes them: with the taker's fee where it belongs."""
        table = self.margin_brackets
        if table is None:
            return None
        starts = {row.valid_from for row in table.rows}
        if self.fee_in_maintenance:
            first = table.rows[0].valid_from
            starts |= {row.valid_from for row in fees.rows if row.valid_from > first}
        made = []
        for start in sorted(starts):
            fee = fees.at(start)[0].taker if self.fee_in_maintenance else Decimal(0)
            tiers = [(b.cap, b.mmr + fee, b.max_leverage, b.cum) for b in table.at(start)[0]]
            made.append((start, tiers))
        return made

    def _sourced(self, table: Dated[T] | None, what: str) -> Dated[T]:
        if table is None:
            raise ConfigError(f"{self.id}: {what} has no sourced row, so it cannot be traded")
        return table


def _plain(table: Dated[Decimal]) -> Sequence[tuple[int, Decimal]]:
    return [(row.valid_from, row.value) for row in table.rows]


def venue_of(instrument: str) -> str:
    """Return the venue that an instrument's id names; empty where it names none."""
    return instrument.rpartition(".")[2] if "." in instrument else ""
