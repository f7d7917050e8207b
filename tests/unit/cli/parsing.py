"""Command lines through the parser that ``cq`` has, without running them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import click

from crypto_quant.cli.root import cq


def parse(words: list[str]) -> list[str]:
    """Let click parse a command line as it would, without running it; return the command."""
    command: click.Command = cq
    context = cq.make_context("cq", words)
    path = []
    while isinstance(command, click.Group):
        name, found, rest = command.resolve_command(
            context, [*context._protected_args, *context.args]
        )
        assert found is not None
        path.append(str(name))
        command, context = found, found.make_context(str(name), rest, parent=context)
    return path


def calls(line: str) -> Iterator[list[str]]:
    """Yield the words after each ``cq`` of a line of shell."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    for token in [*lexer, ";"]:
        if set(token) <= set("();<>|&"):
            while words and words[0].startswith("CQ_") and "=" in words[0]:
                del words[0]
            if words[:1] == ["cq"]:
                yield words[1:]
            words = []
        else:
            words.append(token)
