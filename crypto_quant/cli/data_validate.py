"""``cq data validate``: what is wrong with the catalog's rows, and mending it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from crypto_quant.cli.data import GENERATED_LINE, catalog_option, json_option
from crypto_quant.core.clock import iso, now_ns
from crypto_quant.core.errors import ConfigError, DataError
from crypto_quant.data_pipeline.cleaners import repair
from crypto_quant.data_pipeline.cleaners.findings import Finding, Group, Severity, grouped
from crypto_quant.data_pipeline.cleaners.rows import Tables
from crypto_quant.data_pipeline.cleaners.validator import DataValidator, choose
from crypto_quant.data_pipeline.storage import Catalog
from crypto_quant.venues.rules import load_instruments

_WIDTH = 160
"""Least columns of the table: keys are long, and a folded table cannot be searched."""
_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "dim"}


@click.command("validate")
@click.argument("keys", nargs=-1)
@click.option("--repair", "is_repair", is_flag=True, help="Leave out what has a safe repair.")
@click.option("--undo", metavar="ID", help="Take one repair back; the last of its file first.")
@click.option("--strict", is_flag=True, help="Exit 2 if an error or warning is not explained.")
@catalog_option
@json_option
def validate(
    keys: tuple[str, ...],
    is_repair: bool,
    undo: str | None,
    strict: bool,
    root: Path,
    as_json: bool,
) -> None:
    """Check the rows of KEYS (all, if none is named) and say what is found.

    A repair only leaves rows out or sorts them; it never makes up a price. It is logged in
    repairs.jsonl of the catalog and can be undone to the byte.

    Example: cq data validate BTCUSDT-PERP.BINANCE/1h --strict
    """
    if undo is not None:
        if keys or is_repair:
            raise ConfigError("--undo takes one repair back; it goes with no KEY and no --repair")
        _print_repairs([repair.undo(Catalog(root), undo, now_ns())], as_json, "undone")
        return
    catalog = Catalog(root)
    tables = Tables(catalog, load_instruments())
    chosen = choose(tables, keys)
    if not chosen:
        raise DataError(f"{root} holds nothing to check: cq data import PATH")
    findings = DataValidator(tables).validate(chosen)
    if as_json and not is_repair:
        click.echo(json.dumps([_json(finding) for finding in findings], indent=1))
    elif not is_repair:
        _print(findings)
        if catalog.is_generated:
            click.echo(GENERATED_LINE)
    if is_repair:
        done = repair.apply(catalog, findings, now_ns())
        _print_repairs(done, as_json, "repaired")
    if strict and any(finding.is_open for finding in findings):
        sys.exit(2)


def _print(findings: Sequence[Finding]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("check", "severity", "key", "found", "rows", "first", "what", ""):
        is_number = name in ("found", "rows")
        table.add_column(name, justify="right" if is_number else "left", no_wrap=True)
    groups = grouped(findings)
    before = ""
    for group in groups:
        first = group.found[0]
        table.add_row(
            group.check if group.check != before else "",
            f"[{_COLOURS[group.severity]}]{group.severity}[/]",
            f"{group.kind}/{group.key}",
            f"{len(group.found):,}",
            f"{group.rows:,}",
            iso(first.ts),
            f"{group.what}: {first.value}",
            "explained" if group.explained else "open" if first.is_open else "",
        )
        before = group.check
    Console(width=max(Console().width, _WIDTH)).print(table)
    for line in _reasons(groups):
        click.echo(line)
    by = {severity: [f for f in findings if f.severity is severity] for severity in Severity}
    counts = ", ".join(f"{len(found):,} {severity}s" for severity, found in by.items())
    left = sum(finding.is_open for finding in findings)
    click.echo(f"{counts}; {left:,} errors and warnings are not explained")


def _reasons(groups: Sequence[Group]) -> Iterator[str]:
    """Say why each open group was reported, and why each explained sort is no defect."""
    for group in groups:
        if group.found[0].is_open:
            first = group.found[0]
            mend = f"; --repair would {first.mend}" if first.mend else "; no safe repair"
            yield f"open: {group.check} {group.kind}/{group.key}: {first.reason}{mend}"
    whys = sorted({(group.check, group.what, group.explained) for group in groups})
    for check, what, why in whys:
        if why:
            yield f"explained: {check}, {what}: {why}"


def _json(finding: Finding) -> dict[str, object]:
    plain: dict[str, object] = {**finding._asdict(), "severity": str(finding.severity)}
    plain["mend"] = None if finding.mend is None else str(finding.mend)
    return plain


def _print_repairs(done: Sequence[repair.Repair], as_json: bool, word: str) -> None:
    if as_json:
        click.echo(json.dumps([entry.summary() for entry in done], indent=1))
        return
    for entry in done:
        rows = f"{len(entry.before):,} rows"
        click.echo(f"{word} {entry.id}: {entry.kind}/{entry.key}, {rows}: {entry.words}")
    if not done:
        click.echo("nothing to repair: no unexplained finding has a safe repair")
