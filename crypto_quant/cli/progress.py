"""Progress of long work: a bar on a terminal, a line a stage elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from crypto_quant.core.clock import monotonic_s


class Shown(Protocol):
    """Told what is being done, how much of it is done, and how much there is."""

    def __call__(self, what: str, done: int, total: int) -> None:
        """Show it."""
        ...


@contextmanager
def stages() -> Iterator[Shown]:
    """Show the stages of long work on standard error."""
    if sys.stderr.isatty():
        columns = (
            TextColumn("{task.description:48.48}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=Console(stderr=True)) as bar:
            tasks = {}

            def on_bar(what: str, done: int, total: int) -> None:
                if what not in tasks:
                    tasks[what] = bar.add_task(what, total=total)
                bar.update(tasks[what], completed=done, total=total)

            yield on_bar
        return
    begun: dict[str, float] = {}

    def on_line(what: str, done: int, total: int) -> None:
        started = begun.setdefault(what, monotonic_s())
        if done >= total:
            click.echo(f"{what}: {monotonic_s() - started:.1f} s", err=True)

    yield on_line
