"""Which layout a file has, and what is still to be asked about it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from crypto_quant.core.errors import DataError
from crypto_quant.data_pipeline.collectors import dataset
from crypto_quant.data_pipeline.collectors.facts import Facts, ask
from crypto_quant.data_pipeline.collectors.file import File
from crypto_quant.data_pipeline.collectors.layout import Layout
from crypto_quant.data_pipeline.collectors.layouts import LAYOUTS
from crypto_quant.data_pipeline.collectors.layouts.bars import BAR_KINDS, lacking


@dataclass(frozen=True, slots=True)
class Job:
    """A file that can be read: its layout, and all the facts this needs."""

    file: File
    name: str
    layout: Layout
    facts: Facts


@dataclass(frozen=True, slots=True)
class Notice:
    """A file that is not imported, and why."""

    path: Path
    reason: str
    is_known: bool


def recognise(path: Path, given: Facts) -> Job | Notice:
    """Decide how a file is read; its content decides the layout, never its name.

    Parameters
    ----------
    path : Path
        The file.
    given : Facts
        What the user says; it goes before what the data sets say.

    Raises
    ------
    DataError
        The file is empty or corrupt, or facts are missing: the message names them all.
    """
    known = dataset.look_up(path)
    facts = given.over(known.facts)
    if known.note is not None and given == Facts():
        return Notice(path, known.note, is_known=True)
    file = File.open(path)
    candidates = {name: layout for name, layout in LAYOUTS.items() if layout.recognise(file)}
    fitting = {
        name: layout
        for name, layout in candidates.items()
        if facts.kind is None or not layout.kinds or facts.kind in layout.kinds
    }
    if not fitting:
        lacks = lacking(file) if facts.kind in BAR_KINDS else []
        if candidates and not lacks:
            could = " or a ".join(layout.title for layout in candidates.values())
            raise DataError(f"{path}: looks like a {could}, which does not hold {facts.kind}")
        if candidates:
            raise DataError(f"{path}: {_incomplete(file, lacks)}")
        reason = _incomplete(file, lacks) if lacks else _unknown(file)
        return Notice(path, reason, is_known=False)
    name, layout = next(iter(fitting.items()))
    if not layout.kinds:
        return Notice(path, layout.title, is_known=True)
    twice = [column for column, count in Counter(file.columns).items() if count > 1]
    if twice:
        raise DataError(f"{path}: column {twice[0]!r} is there twice; leave one in")
    missing = facts.missing(layout.needs(file, facts))
    if missing:
        raise DataError(f"{path}: {layout.title}; {ask(missing, layout.kinds)}")
    return Job(file, name, layout, facts)


def _incomplete(file: File, lacks: list[str]) -> str:
    what = f"column{'s' if len(lacks) > 1 else ''} {', '.join(lacks)}"
    return f"bars need the {what}; it has {', '.join(file.columns)}"


def _unknown(file: File) -> str:
    if file.columns:
        return f"no known layout (columns {', '.join(file.columns[:8])})"
    return f"no known layout ({file.container} file)"
