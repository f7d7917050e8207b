"""The fast text of a decision is the encoder's, byte for byte."""

from __future__ import annotations

import json
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from crypto_quant.core.messages import (
    RISK_SEAL,
    Alarm,
    Allocation,
    Amend,
    Approved,
    ApprovedCross,
    Cancel,
    Command,
    Cross,
    Decision,
    Exchange,
    Order,
    OrderType,
    Place,
    Prediction,
    Quote,
    Refused,
    Side,
    Signal,
    Target,
    Transfer,
    Wake,
    Wallet,
)
from crypto_quant.runtime.decision_json import as_json, line

NUMBERS = st.integers(-(2**62), 2**62)
WORDS = st.text(max_size=12) | st.sampled_from(["grid", 'say "no"', "é\n"])
SIDES = st.sampled_from(list(Side))
CHECKS = st.lists(WORDS, max_size=3).map(tuple)
PARTS = st.lists(st.builds(Allocation, st.integers(0, 3), NUMBERS), min_size=1, max_size=2)
ORDERS = st.builds(
    Order,
    *(NUMBERS, NUMBERS, st.integers(0, 3), SIDES, NUMBERS, st.sampled_from(list(OrderType))),
    *(st.none() | NUMBERS, st.none() | NUMBERS, st.booleans(), PARTS.map(tuple), WORDS),
    st.just(False),
)
QUOTED = st.builds(
    lambda order, px: order._replace(price=px, allocations=order.allocations[:1], is_quote=True),
    ORDERS,
    NUMBERS,
)
CROSSES = st.builds(Cross, NUMBERS, NUMBERS, NUMBERS, PARTS.map(tuple), WORDS)
TARGETS = st.builds(
    Target,
    *(NUMBERS, WORDS, st.integers(0, 3), NUMBERS, st.none() | NUMBERS, WORDS),
    st.none() | st.lists(st.builds(Quote, SIDES, NUMBERS, NUMBERS), max_size=3).map(tuple),
)


def approved(order: Order, checks: tuple[str, ...]) -> Approved:
    return Approved(order, checks, RISK_SEAL)


APPROVED = st.builds(approved, ORDERS | QUOTED, CHECKS)
COMMANDS: st.SearchStrategy[Command] = st.one_of(
    st.builds(Place, APPROVED),
    st.builds(Amend, APPROVED),
    st.builds(Cancel, NUMBERS, WORDS),
    st.builds(Alarm, NUMBERS, NUMBERS, WORDS),
    st.builds(Transfer, NUMBERS, st.just(0), st.just(Wallet.SPOT), st.just(Decimal(1)), WORDS),
    st.builds(lambda c, n: Exchange(ApprovedCross(c, n, RISK_SEAL)), CROSSES, CHECKS),
)
DECISIONS = st.builds(
    Decision,
    NUMBERS,
    st.sampled_from(list(Wake)),
    st.none() | st.just(Prediction(1, 0.5, 0.25, "model")),
    st.sampled_from([(), (Signal(1, "grid", 0, 0.0, "flat"),)]),
    st.lists(TARGETS, max_size=2).map(tuple),
    st.lists(st.builds(Refused, ORDERS | QUOTED | CROSSES, WORDS), max_size=1).map(tuple),
    st.lists(COMMANDS, max_size=4).map(tuple),
)


@given(decision=DECISIONS)
def test_the_text_is_that_of_the_encoder(decision: Decision) -> None:
    assert line(decision) == json.dumps(as_json(decision), separators=(",", ":"))
