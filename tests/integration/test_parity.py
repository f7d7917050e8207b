"""The same fills as hftbacktest's on every recorded session with a snapshot.

``parity.json`` holds what hftbacktest itself did, written by ``python -m benches.parity`` where
it is installed: the number of its fills and the hash of order, venue time, price, quantity and
side of each.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benches.parity import CASES, Case, digest, ours
from benches.session import QUEUES, Recording, recording

GOLDEN = json.loads(Path(__file__).with_name("parity.json").read_text("utf-8"))["runs"]

pytestmark = [pytest.mark.data, pytest.mark.xdist_group("parity")]


@pytest.fixture(scope="module", params=CASES, ids=lambda case: Path(case.capture).name)
def session(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Case, Recording]:
    """Return each session, imported once."""
    case: Case = request.param
    found = recording(tmp_path_factory.mktemp("parity"), case.capture, case.key)
    assert found is not None
    return case, found


@pytest.mark.parametrize("queue", QUEUES)
def test_fills_are_those_of_hftbacktest(session: tuple[Case, Recording], queue: str) -> None:
    case, found = session
    (theirs,) = (run for run in GOLDEN if (run["capture"], run["queue"]) == (case.capture, queue))
    fills = ours(case, found, queue)
    assert (len(fills), digest(fills)) == (theirs["fills"], theirs["sha256"])


@pytest.mark.parametrize("session", CASES[:1], indirect=True)
def test_the_rules_that_differ_matter(session: tuple[Case, Recording]) -> None:
    case, found = session
    line = found.line(sim={"queue": "power"})
    line.native.run("grid", {"levels": 5, "gap": 1, "quantity": 10, "most": 200})
    assert digest(found.fills(line)) != digest(ours(case, found, "power"))
