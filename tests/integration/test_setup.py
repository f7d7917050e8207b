"""What set-up says of the system it finds."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def needs(path: str) -> subprocess.CompletedProcess[str]:
    """Run the check of the system with these folders as ``PATH``."""
    bash = shutil.which("bash") or "/bin/bash"
    return subprocess.run(  # noqa: S603 - our own script
        [bash, str(ROOT / "deploy/needs.sh")],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_plain_user_without_sbin_in_the_path_lacks_nothing() -> None:
    folders = [f for f in os.environ["PATH"].split(":") if not f.endswith("sbin")]
    done = needs(":".join(folders))
    assert (done.returncode, done.stderr) == (0, "")


def test_the_same_system_is_judged_the_same_every_time() -> None:
    assert {needs(os.environ["PATH"]).returncode for _ in range(12)} == {0}


@pytest.mark.parametrize(
    ("tool", "said"),
    [
        ("cc", "run: apt-get install -y gcc libc6-dev"),
        ("cargo", "no Rust toolchain found"),
    ],
)
def test_what_is_missing_is_one_line(tmp_path: Path, tool: str, said: str) -> None:
    (tmp_path / "python3").symlink_to(Path(sys.executable).resolve())
    for name in ("cc", "cargo", "ldconfig"):
        there = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
        if there is not None and name != tool:
            (tmp_path / name).symlink_to(there)
    done = needs(str(tmp_path))
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("setup: ")
    assert said in line
