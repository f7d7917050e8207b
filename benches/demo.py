"""Where the minutes of the demo go: once with nothing kept, once again.

The package is built already. Data is what ``CQ_DATA`` names, else what the demo finds or
makes in an empty folder. Stages overlap: models are trained while rows without one run.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from benches import Result

STAGE = re.compile(r"(?P<name>.+): (?P<seconds>\d+\.\d) s")
DATA = "data: "


class Pass(NamedTuple):
    """One run: all its seconds, those of its stages, CPU seconds, and hashes of its files."""

    seconds: float
    stages: dict[str, float]
    cpu: float
    files: dict[str, str]


def run() -> list[Result]:
    """Run the demo twice in one empty folder.

    Raises
    ------
    RuntimeError
        It failed, or the second run wrote other bytes.
    """
    with tempfile.TemporaryDirectory() as name:
        cold, warm = (_demo(Path(name)) for _ in range(2))
    differing = sorted(k for k in cold.files.keys() | warm.files if _differs(k, cold, warm))
    if differing:
        raise RuntimeError(f"the second run wrote other bytes: {', '.join(differing)}")
    what = "CQ_DATA" if os.environ.get("CQ_DATA") else "data of its own finding"
    results = []
    for kind, done in (("cold", cold), ("warm", warm)):
        results.append(_result(f"demo {kind}", what, done.seconds))
        results.append(_result(f"demo {kind}: CPU of all processes", what, done.cpu))
        results += [_result(f"demo {kind}: {k}", what, s) for k, s in done.stages.items()]
    return results


def _differs(name: str, cold: Pass, warm: Pass) -> bool:
    return cold.files.get(name) != warm.files.get(name)


def _demo(folder: Path) -> Pass:
    """Run ``cq demo`` and read its stages off standard error, line by line."""
    kept = ("CQ_DATA",)
    env = {k: v for k, v in os.environ.items() if not k.startswith("CQ_") or k in kept}
    command = [str(Path(sys.executable).with_name("cq")), "demo"]
    before = os.times()
    begun = time.perf_counter()
    stages: dict[str, float] = {}
    said: list[str] = []
    with subprocess.Popen(  # noqa: S603 - our own command line
        command, cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        for line in process.stderr or ():
            said.append(line)
            found = STAGE.fullmatch(line.strip())
            if found is not None:
                stages[found["name"]] = float(found["seconds"])
            elif line.startswith(DATA):
                stages["start and import"] = time.perf_counter() - begun
    seconds = time.perf_counter() - begun
    if process.returncode:
        raise RuntimeError(f"cq demo failed: {''.join(said[-5:])}")
    after = os.times()
    cpu = sum(after[2:4]) - sum(before[2:4])
    return Pass(seconds, stages, cpu, _hashes(folder / "runs"))


def _hashes(runs: Path) -> dict[str, str]:
    """Hash the files of the run folders; the trial log counts the second run too."""
    files = sorted(p for p in runs.glob("walk-forward-*/*") if p.is_file())
    return {
        str(path.relative_to(runs)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files
    }


def _result(name: str, what: str, seconds: float) -> Result:
    return Result(name, "s", what, seconds, None, None, None, ((seconds, None),))
