"""What venues take as collateral in multi-assets mode, and how they balance debts: dated rows."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Final

from pydantic import ValidationError

from crypto_quant.core.clock import iso
from crypto_quant.core.errors import ConfigError
from crypto_quant.core.instruments import Dated
from crypto_quant.venues.rules.load import Strict, ValueRow, rename, table

MULTI_ASSETS: Final = ("binance",)
"""Venues whose mode is in a table."""


@dataclass(frozen=True, slots=True)
class Collateral:
    """One asset: ``ratio`` of its worth is margin, ``conversion`` of it pays a debt.

    ``debt_limit`` (of the asset itself) and ``largest`` (what may be transferred in) are in units
    of the asset; ``None``: no source gives one.
    """

    ratio: Dated[Decimal]
    conversion: Dated[Decimal] | None
    debt_limit: Dated[Decimal] | None
    largest: Dated[Decimal] | None


@dataclass(frozen=True, slots=True)
class MultiAssets:
    """A venue's mode: its assets by name, and the loan-to-value limit of an idle account."""

    assets: dict[str, Collateral]
    loan_to_value: Dated[Decimal]


class _Mode(Strict):
    loan_to_value: tuple[ValueRow, ...]


class _Asset(Strict):
    name: str
    ratio: tuple[ValueRow, ...]
    conversion: tuple[ValueRow, ...] = ()
    debt_limit: tuple[ValueRow, ...] = ()
    largest: tuple[ValueRow, ...] = ()


class _File(Strict):
    mode: _Mode
    asset: tuple[_Asset, ...]


@cache
def load_multi_assets(venue: str) -> MultiAssets:
    """Return a venue's mode.

    Raises
    ------
    ConfigError
        No table holds it, or the table contradicts itself.
    """
    if venue not in MULTI_ASSETS:
        known = ", ".join(MULTI_ASSETS)
        raise ConfigError(f"multi-assets mode: no rules of {venue!r}; known: {known}")
    text = resources.files(__package__).joinpath(f"{venue}_collateral.toml").read_text("utf-8")
    return parse_multi_assets(text, venue)


def parse_multi_assets(text: str, venue: str) -> MultiAssets:
    """Read one venue's mode from TOML text."""
    found = tomllib.loads(text)
    found["mode"] = rename(found.get("mode", {}))
    found["asset"] = [rename(entry) for entry in found.get("asset", [])]
    try:
        file = _File.model_validate(found)
    except ValidationError as err:
        first = err.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"collateral of {venue}: {where}: {first['msg']}") from err
    assets = {entry.name: _collateral(entry, venue) for entry in file.asset}
    limit = table(file.mode.loan_to_value, f"{venue} loan_to_value", Decimal)
    if limit is None:
        raise ConfigError(f"collateral of {venue}: mode.loan_to_value: no row")
    return MultiAssets(assets, limit)


def _collateral(entry: _Asset, venue: str) -> Collateral:
    what = f"{venue} collateral {entry.name}"
    ratio = table(entry.ratio, f"{what} ratio", Decimal)
    if ratio is None:
        raise ConfigError(f"{what}: ratio: no row: say what counts, from when, and the source")
    return Collateral(
        ratio=ratio,
        conversion=table(entry.conversion, f"{what} conversion", Decimal),
        debt_limit=table(entry.debt_limit, f"{what} debt_limit", Decimal),
        largest=table(entry.largest, f"{what} largest", Decimal),
    )


def multi_assets(venue: str, wallet: str, assets: Sequence[str], ts: int) -> dict[str, object]:
    """Return the setting ``multi_assets`` of the simulated venue, for a run that begins at ``ts``.

    Parameters
    ----------
    venue, wallet
        Whose rules, and which wallet has the mode.
    assets
        All assets of the wallet.
    ts
        Begin of the run, ns UTC.

    Raises
    ------
    ConfigError
        The venue has no such mode, does not take an asset, or did not yet at ``ts``.
    """
    mode = load_multi_assets(venue)
    for asset in assets:
        if asset not in mode.assets:
            known = ", ".join(mode.assets)
            raise ConfigError(
                f"collateral: {venue} has no sourced ratio of {asset}; known: {known}"
            )
        first = mode.assets[asset].ratio.rows[0]
        if ts < first.valid_from:
            raise ConfigError(
                f"collateral: {asset} counts as margin at {venue} from "
                f"{iso(first.valid_from)[:10]} on ({first.source}), and the run begins "
                f"{iso(ts)[:10]}: begin later, or margin "
                "each asset alone (no collateral)"
            )
    rows = [(asset, mode.assets[asset]) for asset in assets]
    return {
        "wallet": wallet,
        "assets": [
            (name, _rows(c.ratio), _rows(c.conversion), _rows(c.debt_limit), _rows(c.largest))
            for name, c in rows
        ],
        "loan_to_value": _rows(mode.loan_to_value),
    }


def _rows(dated: Dated[Decimal] | None) -> list[tuple[int, Decimal]] | None:
    return None if dated is None else [(row.valid_from, row.value) for row in dated.rows]
