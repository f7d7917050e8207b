"""Reads the rule tables into instruments, and refuses a table that contradicts itself."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, ValidationError

from crypto_quant.core.clock import iso
from crypto_quant.core.errors import ConfigError
from crypto_quant.core.instruments import (
    Bracket,
    ContractKind,
    Dated,
    Fees,
    Instrument,
    PriceBands,
    Row,
)

VENUES = ("binance", "okx", "bybit", "ftx", "hyperliquid")
T = TypeVar("T")
_PERIOD: Final = re.compile(r"(\d{4})(?:-(0[1-9]|1[0-2]))?")


def _moment(said: object) -> object:
    """Return when a row is in force: a year or month, said as text, once it is over."""
    if not isinstance(said, str):
        return said
    period = _PERIOD.fullmatch(said)
    if period is None:
        raise ValueError(f"expected a time, or a year or month as text, was {said!r}")
    year, month = int(period[1]), int(period[2] or 12)
    return datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)


_From = Annotated[AwareDatetime, BeforeValidator(_moment)]


class Strict(BaseModel):
    """A part of a rule table: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ValueRow(Strict):
    """A number in force from a time on."""

    from_: _From
    value: Decimal
    source: str


class _KindRow(Strict):
    from_: _From
    value: ContractKind
    source: str


class _FeeRow(Strict):
    from_: _From
    tier: str
    maker: Decimal
    taker: Decimal
    source: str


class _Further(Strict):
    """Tiers that follow the last one by even steps; ``imr`` is the first one's initial rate."""

    count: int
    step: Decimal
    mmr_step: Decimal
    imr: Decimal
    imr_step: Decimal


class _BracketRow(Strict):
    from_: _From
    tiers: tuple[tuple[str, Decimal, int, Decimal], ...]
    further: _Further | None = None
    source: str


class _BandRow(Strict):
    from_: _From
    up: Decimal
    down: Decimal
    take: Decimal
    source: str


class _Entry(Strict):
    id: str
    symbol: str
    base: str
    quote: str
    settle: str
    price_exp: int
    qty_exp: int
    valid_from: AwareDatetime | None = None
    valid_to: AwareDatetime | None = None
    bracket_unit: Literal["quote", "base", "contracts"] = "quote"
    fee_in_maintenance: bool = False
    contract: tuple[_KindRow, ...]
    multiplier: tuple[ValueRow, ...]
    tick: tuple[ValueRow, ...] = ()
    lot: tuple[ValueRow, ...] = ()
    min_notional: tuple[ValueRow, ...] = ()
    funding_interval_h: tuple[ValueRow, ...] = ()
    liquidation_fee: tuple[ValueRow, ...] = ()
    fees: tuple[_FeeRow, ...] = ()
    brackets: tuple[_BracketRow, ...] = ()
    price_bands: tuple[_BandRow, ...] = ()


@cache
def load_instruments() -> Mapping[str, Instrument]:
    """Return every known instrument by its id.

    Raises
    ------
    ConfigError
        A table names an unknown key, has a bracket whose ``cum`` is not what the
        recursion gives, two rows for one moment, or a kind or size that changes.
    """
    out: dict[str, Instrument] = {}
    for venue in VENUES:
        text = resources.files(__package__).joinpath(f"{venue}.toml").read_text("utf-8")
        for instrument in parse_rules(text, venue):
            out[instrument.id] = instrument
    return out


def parse_rules(text: str, venue: str) -> list[Instrument]:
    """Read one venue's rule table from TOML text."""
    entries = tomllib.loads(text).get("instrument", [])
    try:
        return [_instrument(_Entry.model_validate(rename(e)), venue) for e in entries]
    except ValidationError as err:
        first = err.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"rules of {venue}: {where}: {first['msg']}") from err


def universe_at(ts: int) -> list[Instrument]:
    """Return the instruments that were listed at ``ts`` (ns UTC), dead ones included."""
    return [
        i
        for i in load_instruments().values()
        if (i.valid_from is None or i.valid_from <= ts) and (i.valid_to is None or ts < i.valid_to)
    ]


def rename(entry: dict[str, Any]) -> dict[str, Any]:
    """``from`` is the natural word in the file and a keyword in Python."""
    return {
        key: [{("from_" if k == "from" else k): v for k, v in row.items()} for row in value]
        if isinstance(value, list)
        else value
        for key, value in entry.items()
    }


def _ns(when: datetime) -> int:
    return int(when.astimezone(UTC).timestamp()) * 1_000_000_000


def table(
    rows: tuple[ValueRow, ...], what: str, convert: Callable[[Decimal], T]
) -> Dated[T] | None:
    """Return rows as a dated table; ``None`` where there is none."""
    return _dated([Row(_ns(r.from_), convert(r.value), r.source) for r in rows], what)


def _dated(rows: list[Row[T]], what: str) -> Dated[T] | None:
    starts = [r.valid_from for r in rows]
    if starts != sorted(set(starts)):
        raise ConfigError(f"{what}: rows must be in order of time, one a moment")
    return Dated(tuple(rows)) if rows else None


def _constant(rows: list[Row[T]], what: str) -> Dated[T]:
    """Return rows that all say the same: the ledger takes one value for all time."""
    table = _dated(rows, what)
    if table is None:
        raise ConfigError(f"{what}: no row: say what it is, from when, and the source")
    first = table.rows[0].value
    for row in table.rows:
        if row.value != first:
            raise ConfigError(
                f"{what}: changes from {first} to {row.value} on {iso(row.valid_from)[:10]}, and "
                "the ledger takes one for all time: make it an instrument of its own from then on"
            )
    return table


def _fees(rows: tuple[_FeeRow, ...], what: str) -> dict[str, Dated[Fees]]:
    tiers: dict[str, list[Row[Fees]]] = {}
    for r in rows:
        tiers.setdefault(r.tier, []).append(Row(_ns(r.from_), Fees(r.maker, r.taker), r.source))
    tables = {tier: _dated(found, f"{what} fees {tier}") for tier, found in tiers.items()}
    return {tier: table for tier, table in tables.items() if table is not None}


def _brackets(row: _BracketRow, what: str, *, is_whole: bool) -> tuple[Bracket, ...]:
    """Return a row's tiers; where the rate is that of the whole position nothing is deducted."""
    tiers: list[Bracket] = []
    floor = previous_mmr = cum = Decimal(0)
    for cap_text, mmr, leverage, stated in row.tiers:
        cum += Decimal(0) if is_whole else floor * (mmr - previous_mmr)
        if cum != stated:
            raise ConfigError(
                f"{what} brackets of {row.from_:%Y-%m-%d}: cum of the {cap_text} tier is {stated}, "
                f"the recursion gives {cum}"
            )
        cap = None if cap_text == "none" else Decimal(cap_text)
        tiers.append(Bracket(cap, mmr, leverage, stated))
        floor, previous_mmr = cap or Decimal(0), mmr
    if (more := row.further) is None:
        return tuple(tiers)
    if not is_whole:
        raise ConfigError(f"{what} brackets: further tiers are of those counted in contracts")
    for n in range(more.count):
        leverage = int(1 / (more.imr + n * more.imr_step))
        cap, rate = floor + (n + 1) * more.step, previous_mmr + (n + 1) * more.mmr_step
        tiers.append(Bracket(cap, rate, leverage, Decimal(0)))
    return tuple(tiers)


def _instrument(e: _Entry, venue: str) -> Instrument:
    is_whole = e.bracket_unit == "contracts"
    brackets = [
        Row(_ns(r.from_), _brackets(r, e.id, is_whole=is_whole), r.source) for r in e.brackets
    ]
    bands = [Row(_ns(r.from_), PriceBands(r.up, r.down, r.take), r.source) for r in e.price_bands]
    kinds = [Row(_ns(r.from_), r.value, r.source) for r in e.contract]
    sizes = [Row(_ns(r.from_), r.value, r.source) for r in e.multiplier]
    contract = _constant(kinds, f"{e.id} contract")
    multiplier = _constant(sizes, f"{e.id} multiplier")
    return Instrument(
        id=e.id,
        venue=venue,
        symbol=e.symbol,
        contract=contract.rows[0].value,
        base=e.base,
        quote=e.quote,
        settle=e.settle,
        multiplier=multiplier.rows[0].value,
        price_exp=e.price_exp,
        qty_exp=e.qty_exp,
        tick=table(e.tick, f"{e.id} tick", Decimal),
        lot=table(e.lot, f"{e.id} lot", Decimal),
        min_notional=table(e.min_notional, f"{e.id} min_notional", Decimal),
        fees=_fees(e.fees, e.id),
        brackets=_dated(brackets, f"{e.id} brackets"),
        bracket_unit=e.bracket_unit,
        fee_in_maintenance=e.fee_in_maintenance,
        funding_interval_h=table(e.funding_interval_h, f"{e.id} funding_interval_h", int),
        valid_from=None if e.valid_from is None else _ns(e.valid_from),
        valid_to=None if e.valid_to is None else _ns(e.valid_to),
        contract_rows=contract,
        multiplier_rows=multiplier,
        liquidation_fee=table(e.liquidation_fee, f"{e.id} liquidation_fee", Decimal),
        price_bands=_dated(bands, f"{e.id} price_bands"),
    )
