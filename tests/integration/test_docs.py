"""The documentation is true: its commands run, its links lead somewhere, the site builds."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click
import pytest

from crypto_quant.cli.root import cq
from tests.unit.cli.parsing import calls, parse

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
BIN = Path(sys.executable).parent
page_by_page = pytest.mark.parametrize(
    "page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix()
)


class Command(NamedTuple):
    """A command line of a ``console`` block and the output shown below it."""

    line: str
    shown: list[str]


def blocks(page: Path, *languages: str) -> Iterator[str]:
    wanted = "|".join(languages)
    yield from re.findall(rf"^```(?:{wanted})\n(.*?)^```$", page.read_text(), re.M | re.S)


def console(page: Path) -> list[Command]:
    commands: list[Command] = []
    for block in blocks(page, "console"):
        for line in block.splitlines():
            if line.startswith("$ "):
                commands.append(Command(line[2:], []))
            else:
                assert commands, f"{page.name}: a console block begins with '$ '"
                commands[-1].shown.append(line.rstrip())
    return commands


def run(line: str, folder: Path) -> tuple[int, list[str]]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("CQ_")}
    done = subprocess.run(  # noqa: S603 - the command lines of our own documentation
        ["/bin/bash", "-o", "pipefail", "-c", line],
        cwd=folder,
        env={**clean, "PATH": f"{BIN}:{clean['PATH']}", "COLUMNS": "80", "LC_ALL": "C.UTF-8"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )
    return done.returncode, [text.rstrip() for text in done.stdout.splitlines()]


def missing(shown: list[str], printed: list[str]) -> str | None:
    """Return the first shown line that was not printed, in order; ``…`` stands for anything."""
    rest = iter(printed)
    for line in shown:
        if line in ("", "…"):
            continue
        pattern = re.compile(".*".join(re.escape(part) for part in line.split("…")))
        if not any(pattern.fullmatch(text) for text in rest):
            return line
    return None


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if console(page)],
    ids=lambda page: page.relative_to(ROOT).as_posix(),
)
def test_every_command_prints_what_the_page_shows(page: Path, tmp_path: Path) -> None:
    for command in console(page):
        code, printed = run(command.line, tmp_path)
        context = f"$ {command.line}\n" + "\n".join(printed)
        is_mistake = command.shown[:1] != [] and command.shown[0].startswith("cq: ")
        assert code == (2 if is_mistake else 0), context
        line = missing(command.shown, printed)
        assert line is None, f"{page.name} shows {line!r}, but:\n{context}"


def test_a_wrong_shown_line_is_noticed() -> None:
    assert missing(["a", "b … d"], ["a", "x", "b c d"]) is None
    assert missing(["b … d", "a"], ["a", "b c d"]) == "a"
    assert missing(["b"], ["b c"]) == "b"


def mentioned(page: Path) -> Iterator[list[str]]:
    """Yield the words of every ``cq`` command line of a page, in blocks and between ticks."""
    text = page.read_text()
    lines = [line for block in blocks(page, "sh", "bash", "console", "") for line in _whole(block)]
    lines += re.findall(r"`((?:CQ\w+=\S+ )*cq [^`]+)`", re.sub(r"```.*?```", "", text, flags=re.S))
    for line in lines:
        for part in re.split(r"&&|\|\||;|\||>", line.removeprefix("$ ")):
            words = shlex.split(part, comments=True) if part.count("'") % 2 == 0 else []
            while words and re.fullmatch(r"CQ\w+=.*", words[0]):
                del words[0]
            if words[:1] == ["cq"]:
                yield words[1:]


def _whole(block: str) -> list[str]:
    return block.replace("\\\n", " ").splitlines()


@page_by_page
def test_every_mentioned_command_and_option_exists(page: Path) -> None:
    for words in mentioned(page):
        command: click.Command = cq
        rest = list(words)
        while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
            assert rest[0] in command.commands, f"cq {' '.join(words)}: no command {rest[0]}"
            command = command.commands[rest.pop(0)]
        known = {"--help", "-h"} | {name for parameter in command.params for name in parameter.opts}
        options = {word.split("=")[0] for word in rest if re.match(r"--?[a-z]", word)}
        assert options <= known, f"cq {' '.join(words)}: no option {options - known}"


def unparsed(block: str) -> list[str]:
    """Return what the parser says against the ``cq`` commands of a block of shell."""
    said = []
    for line in _whole(block):
        for words in calls(line):
            try:
                parse(words)
            except click.UsageError as err:
                said.append(f"cq {' '.join(words)}: {err.format_message()}")
    return said


@page_by_page
def test_every_command_of_a_shell_block_parses(page: Path) -> None:
    assert [line for block in blocks(page, "sh", "bash") for line in unparsed(block)] == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("cq data imports x", "No such command 'imports'"),
        ("cq data list --catalogue x", "No such option '--catalogue'"),
        ("cq data list extra  # one word that it's not got", "unexpected extra argument"),
        ("cq data export bar KEY out.parquet --start yesterday", "'yesterday' does not match"),
        ("true && CQ_CATALOG=c cq data download \\\n --jobs 0", "0 is not in the range"),
        ("cq data export bar", "Missing argument"),
    ],
)
def test_a_shell_command_that_would_not_parse_is_noticed(line: str, said: str) -> None:
    (found,) = unparsed(line)
    assert said in found
    assert unparsed("cq data import $CQ_DATA --as 'a=b' && cq data list | head # it's all") == []


@page_by_page
def test_every_internal_link_leads_to_a_file(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if not re.match(r"[a-z]+:", target):
            path = page.parent / target.partition("#")[0]
            assert path.exists(), f"{page.name}: {target} leads nowhere"


@page_by_page
def test_every_make_command_is_a_target(page: Path) -> None:
    targets = set(re.findall(r"^([a-z][a-z0-9]*):", (ROOT / "Makefile").read_text(), re.M))
    for block in [*blocks(page, "sh", "bash", "console", ""), *_ticked(page)]:
        for words in re.findall(r"^(?:\$ )?(?:[A-Z_]+=\S+ )*make ((?:[a-z0-9]+ ?)+)", block, re.M):
            assert set(words.split()) <= targets, f"{page.name}: make {words}"


@page_by_page
def test_every_path_of_the_repository_exists(page: Path) -> None:
    tops = r"crates|crypto_quant|examples|tests|docs|benches|deploy|requirements"
    for span in _ticked(page):
        if re.fullmatch(rf"(?:{tops})/[\w./<>*{{}}-]+", span) and "/out/" not in span:
            pattern = re.sub(r"<\w+>", "*", span).rstrip("/")
            assert list(ROOT.glob(pattern)), f"{page.name}: there is no {span}"


def _ticked(page: Path) -> list[str]:
    return re.findall(r"`([^`\n]+)`", page.read_text())


def test_the_readme_has_a_small_picture_and_the_marks_that_refresh_looks_for() -> None:
    text = (ROOT / "README.md").read_text()
    (picture,) = re.findall(r"!\[[^\]]{20,}\]\(([^)]+)\)", text)
    assert (ROOT / picture).stat().st_size <= 150_000
    begin, end = re.findall(r"<!-- [a-z ]+ -->", text)
    tool = (ROOT / "docs/images/refresh.py").read_text()
    assert f'"{begin}", "{end}"' in tool


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    env = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(  # noqa: S603 - our own documentation
        [str(BIN / "mkdocs"), "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    for page in (tmp_path / "site").rglob("*.html"):
        loaded = re.findall(
            r'<(?:script|link|img)[^>]*(?:src|href)="(https?:[^"]+)"', page.read_text()
        )
        assert [url for url in loaded if "canonical" not in url] == [], page
