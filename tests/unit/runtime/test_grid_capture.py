"""The full step quotes as the bare simulator's loop does, fill by fill, where no limit binds."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from benches.grid import RULE
from benches.grid_python import quote
from benches.grid_step import grid_state
from benches.session import AS_PEER, Recording, recording
from crypto_quant.core.messages import Cancel, Place
from crypto_quant.runtime.drive import recorded

from .tick_market import Sink

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    found = recording(tmp_path_factory.mktemp("capture"))
    if found is None:
        pytest.skip("no capture")
    return found


@pytest.mark.parametrize("sim", [AS_PEER, {}], ids=["as_peer", "ours"])
def test_both_fill_alike(session: Recording, sim: Mapping[str, object]) -> None:
    bare = session.line(sim=sim)
    quote(bare.native, session.tick, RULE)
    stepped, sink = session.line(sim=sim), Sink()
    recorded(stepped, grid_state(session, RULE), sink)
    assert not [r for d in sink.decisions for r in d.refused]
    wanted = session.fills(bare)
    assert len(wanted) > 1_000
    np.testing.assert_array_equal(session.fills(stepped), wanted)
    sent = [c for d in sink.decisions for c in d.commands]
    ids = [c.approved.order.id for c in sent if isinstance(c, Place)]
    assert ids == list(range(1, len(ids) + 1))
    taken_back = [c.order_id for c in sent if isinstance(c, Cancel)]
    assert len(taken_back) == len(set(taken_back))


def test_sleeve_and_account_stay_one_to_the_last_digit(session: Recording) -> None:
    line, sink = session.line(), Sink()
    recorded(line, grid_state(session, RULE), sink)
    native = line.native
    assert native.position(0) == native.sleeve_position(0, 0) == 0
    assert native.equity() == 100_000 + sum(native.attribution(0).values())
