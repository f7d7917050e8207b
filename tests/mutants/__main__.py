"""Apply each seeded mutant to a copy of the tree and demand that its tests fail.

``python -m tests.mutants [NAME...]`` reads ``tests/mutants/*.toml``; a mutant is a file,
a text that occurs exactly once in it, its replacement, and the command that must fail.
Exits 1 if one survives or no longer applies, 2 if a set is named that there is not.

A command has five times what it takes on the unmutated tree, and half a minute; one that does
not end by then is killed as well, but counted apart.
"""

from __future__ import annotations

import fcntl
import os
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "target" / "mutants"
COPIED = (
    "Cargo.toml",
    "Cargo.lock",
    "clippy.toml",
    "pyproject.toml",
    "crates",
    "crypto_quant",
    "tests",
)
# Most wrong edits show in a few random cases, a wrong edit of matching in thousands or in none.
FEW, MANY = 64, 3000
MEMORY = 12 * 2**30
KILLED, TIMED_OUT = "killed", "killed by timeout"


@dataclass(frozen=True)
class Mutant:
    """One wrong edit and the command that must notice it."""

    name: str
    file: str
    find: str
    replace: str
    killed_by: str

    @property
    def group(self) -> str:
        """The name of the file that it is in."""
        return self.name.partition("/")[0]


@dataclass(frozen=True)
class Try:
    """A command, with how many cases of a property it runs, unless that is the test's own number.

    Its limit is in seconds.
    """

    command: str
    cases: int | None
    limit_s: float | None = None


def main(only: list[str]) -> int:
    """Run the named sets of mutants, or all; return the exit code."""
    sets = {path.stem: path for path in sorted(Path(__file__).parent.glob("*.toml"))}
    if unknown := [name for name in only if name not in sets]:
        print(  # noqa: T201 - a report
            f"mutants: no set is named {', '.join(unknown)}; there are {', '.join(sets)}",
            file=sys.stderr,
        )
        return 2
    mutants = [m for name, path in sets.items() if not only or name in only for m in _read(path)]
    BUILD.mkdir(parents=True, exist_ok=True)
    with (BUILD / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"mutants: {BUILD} is in use by another run", file=sys.stderr)  # noqa: T201
            return 2
        # A wrong edit may ask for memory without end.
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        tree = BUILD / "tree"
        _copy(tree)
        return _judge_all(mutants, tree)


def _read(path: Path) -> list[Mutant]:
    rows = tomllib.loads(path.read_text("utf-8"))["mutant"]
    return [
        Mutant(f"{path.stem}/{n}", r["file"], r["find"], r["replace"], r["killed_by"])
        for n, r in enumerate(rows, 1)
    ]


def _copy(tree: Path) -> None:
    """Copy what the tests need, as new: what an earlier run built of a mutant is out of date."""
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir()
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, tree / name, ignore=ignored, copy_function=shutil.copyfile)
        else:
            shutil.copyfile(source, tree / name)


def _judge_all(mutants: list[Mutant], tree: Path) -> int:
    tries = {}
    for command in sorted({m.killed_by for m in mutants}):
        measured = _measured(command, tree)
        if measured is None:
            _say(f"this must pass before anything is mutated: {command}")
            return 1
        tries[command] = measured
        _say(f"{command}: within {' s, then '.join(f'{t.limit_s:.0f}' for t in measured)} s")
    verdicts: dict[str, Counter[str]] = {m.group: Counter() for m in mutants}
    seconds: Counter[str] = Counter()
    for n, mutant in enumerate(mutants, 1):
        start = time.monotonic()
        verdict = judge(mutant, tries[mutant.killed_by], tree)
        took = time.monotonic() - start
        seconds[mutant.group] += round(took)
        verdicts[mutant.group][verdict] += 1
        edit = "" if verdict == KILLED else f": {mutant.find!r} -> {mutant.replace!r}"
        _say(f"[{n}/{len(mutants)}] {mutant.name}: {verdict} in {took:.0f} s{edit}")
    for group, counts in verdicts.items():
        told = ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items()))
        _say(f"{group}: {counts.total()} mutants, {told}, {seconds[group]} s")
    total = sum(verdicts.values(), Counter())
    killed = total[KILLED] + total[TIMED_OUT]
    _say(f"{killed} passed, {len(mutants) - killed} failed")
    return 0 if killed == len(mutants) else 1


def _measured(command: str, tree: Path) -> list[Try] | None:
    """Return what to try of a command, quick ones first, or ``None`` if it does not pass."""
    is_cargo = command.startswith("cargo")
    if is_cargo and _run(Try(f"{command} --no-run", FEW), tree) != 0:
        return None
    tries = []
    for cases in (FEW, MANY, None) if is_cargo else (None,):
        start = time.monotonic()
        if _run(Try(command, cases), tree) != 0:
            return None
        tries.append(Try(command, cases, 30 + 5 * (time.monotonic() - start)))
    return tries


def judge(mutant: Mutant, tries: list[Try], tree: Path) -> str:
    """Put a mutant into the tree, try it, and put back what was there; return what came of it."""
    target = tree / mutant.file
    original = target.read_text("utf-8")
    if original.count(mutant.find) != 1:
        return "does not apply: its text is not there exactly once"
    target.write_text(original.replace(mutant.find, mutant.replace), "utf-8")
    verdict = _verdict(tries, tree)
    target.write_text(original, "utf-8")
    return verdict


def _verdict(tries: list[Try], tree: Path) -> str:
    """Judge by the tests; a mutant that does not even load proves nothing about them."""
    is_cargo = tries[0].command.startswith("cargo")
    if is_cargo and _run(Try(f"{tries[0].command} --no-run", FEW), tree) != 0:
        return "does not compile"
    for one in tries:
        status = _run(one, tree)
        if status is None:
            return TIMED_OUT
        # Above one pytest says that it could not run the tests.
        if status > 1 and not is_cargo:
            return "does not import"
        if status != 0:
            return KILLED
    return "SURVIVED"


def _run(one: Try, tree: Path) -> int | None:
    """Return the exit status, or ``None`` if the time is over; nothing of it is left running."""
    env = {
        **os.environ,
        "CARGO_TARGET_DIR": str(BUILD),
        "CARGO_PROFILE_DEV_DEBUG": "0",
        "PYTHONPATH": str(tree),
        "PYTHONDONTWRITEBYTECODE": "1",
        # A verdict is the same each time, and does not look for the smallest case.
        "PROPTEST_RNG_SEED": "1",
        "PROPTEST_MAX_SHRINK_ITERS": "0",
        "PROPTEST_DISABLE_FAILURE_PERSISTENCE": "true",
    }
    if one.cases is not None:
        env["PROPTEST_CASES"] = str(one.cases)
    words = shlex.split(one.command)
    if words[0] == "pytest":
        plain = ["-q", "-x", "-p", "no:cacheprovider", "-p", "tests.mutants.unshrunk"]
        plain.append("--hypothesis-profile=unshrunk")
        words = [sys.executable, "-m", "pytest", *plain, *words[1:]]
    with subprocess.Popen(  # noqa: S603 - the commands are this repository's own
        words,
        cwd=tree,
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as running:
        try:
            return running.wait(one.limit_s)
        except subprocess.TimeoutExpired:
            return None
        finally:
            if running.poll() is None:
                os.killpg(running.pid, signal.SIGKILL)


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - a report


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
