"""Apply each seeded mutant to a copy of the tree and demand that its tests fail.

``python -m tests.mutants [NAME...]`` reads ``tests/mutants/*.toml``; a mutant is a file,
a text that occurs exactly once in it, its replacement, and the command that must fail.
Exits 1 if one survives or no longer applies, 2 if a set is named that there is not.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("Cargo.toml", "Cargo.lock", "clippy.toml", "pyproject.toml", "crates", "crypto_quant")
LIMIT_S = 300


@dataclass(frozen=True)
class Mutant:
    """One wrong edit and the command that must notice it."""

    name: str
    file: str
    find: str
    replace: str
    killed_by: str


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
    with tempfile.TemporaryDirectory(prefix="cq-mutants-") as folder:
        tree = Path(folder)
        _copy(tree)
        unmutated = {m.killed_by for m in mutants}
        broken = [c for c in sorted(unmutated) if _run(c, tree) != 0]
        if broken:
            print(f"these must pass before anything is mutated: {broken}")  # noqa: T201 - a report
            return 1
        verdicts = [_judge(m, tree) for m in mutants]
    killed = verdicts.count("killed")
    print(f"{killed} passed, {len(verdicts) - killed} failed")  # noqa: T201 - a report
    return 0 if killed == len(verdicts) else 1


def _read(path: Path) -> list[Mutant]:
    rows = tomllib.loads(path.read_text("utf-8"))["mutant"]
    return [
        Mutant(f"{path.stem}/{n}", r["file"], r["find"], r["replace"], r["killed_by"])
        for n, r in enumerate(rows, 1)
    ]


def _copy(tree: Path) -> None:
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, tree / name)
    shutil.copytree(ROOT / "tests", tree / "tests", ignore=shutil.ignore_patterns("__pycache__"))


def _judge(mutant: Mutant, tree: Path) -> str:
    target = tree / mutant.file
    original = target.read_text("utf-8")
    if original.count(mutant.find) != 1:
        verdict = "does not apply: its text is not there exactly once"
    else:
        target.write_text(original.replace(mutant.find, mutant.replace), "utf-8")
        verdict = _verdict(mutant.killed_by, tree)
        target.write_text(original, "utf-8")
    print(f"{mutant.name}: {verdict}: {mutant.find!r} -> {mutant.replace!r}")  # noqa: T201 - a report
    return verdict


def _verdict(command: str, tree: Path) -> str:
    """Judge by the tests; a mutant that does not even compile proves nothing about them."""
    if command.startswith("cargo") and _run(f"{command} --no-run", tree) != 0:
        return "does not compile"
    return "killed" if _run(command, tree) != 0 else "SURVIVED"


def _run(command: str, tree: Path) -> int:
    """Return the exit status; a hang counts as noticed."""
    env = {
        **os.environ,
        "CARGO_TARGET_DIR": str(ROOT / "target" / "mutants"),
        "PYTHONPATH": str(tree),
        "PYTHONDONTWRITEBYTECODE": "1",
        # A wrong edit of matching shows in a few thousand random flows or in none.
        "PROPTEST_CASES": "3000",
    }
    words = shlex.split(command)
    if words[0] == "pytest":
        words = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *words[1:]]
    try:
        done = subprocess.run(  # noqa: S603 - the commands are this repository's own
            words, cwd=tree, env=env, capture_output=True, timeout=LIMIT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return 1
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
