"""Every help page: fits 80 columns and has an example that the parser takes."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from crypto_quant.cli.root import cq

from .parsing import parse

Path = tuple[str, ...]


def commands(command: click.Command = cq, path: Path = ()) -> Iterator[tuple[Path, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from commands(below, (*path, name))


ALL = dict(commands())
pages = pytest.mark.parametrize("path", ALL, ids=lambda path: " ".join(("cq", *path)))


@pages
def test_the_page_fits_80_columns_and_every_option_says_what_it_does(path: Path) -> None:
    result = CliRunner().invoke(cq, [*path, "--help"], terminal_width=80)
    assert result.exit_code == 0
    assert max(map(len, result.output.splitlines())) <= 80
    options = (p for p in ALL[path].params if isinstance(p, click.Option))
    assert [option.name for option in options if not option.help] == []


@pages
def test_the_page_has_an_example_that_parses(path: Path) -> None:
    page = CliRunner().invoke(cq, [*path, "--help"], terminal_width=200).output
    _, found, after = page.partition("Example: ")
    assert found, "no example"
    words = shlex.split(" ".join(after.split("\n\n")[0].split()), comments=True)
    while "=" in words[0]:
        del words[0]
    if ">" in words:
        words = words[: words.index(">")]
    assert words[0] == "cq"
    assert tuple(parse(words[1:]))[: len(path)] == path
