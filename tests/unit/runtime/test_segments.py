"""Segments come from coverage alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from crypto_quant.runtime.segments import Span, bridge, intersect


def test_an_intersection_keeps_what_both_cover() -> None:
    left = [Span(0, 10), Span(20, 30)]
    right = [Span(5, 22), Span(28, 40)]
    assert intersect(left, right) == (Span(5, 10), Span(20, 22), Span(28, 30))
    assert intersect(left, [Span(10, 20)]) == ()


def test_a_short_hole_is_bridged_and_a_longer_one_is_not() -> None:
    spans = [Span(0, 10), Span(13, 20), Span(24, 30)]
    assert bridge(spans, 3) == (Span(0, 20), Span(24, 30))
    assert bridge(spans, 4) == (Span(0, 30),)
    assert bridge([], 4) == ()


_CUTS = st.lists(st.integers(0, 60), unique=True, max_size=12).map(sorted)


def _spans(cuts: list[int]) -> list[Span]:
    return [Span(a, b) for a, b in zip(cuts[::2], cuts[1::2], strict=False)]


@given(_CUTS, _CUTS)
def test_a_moment_is_covered_exactly_where_both_cover_it(one: list[int], two: list[int]) -> None:
    left, right = _spans(one), _spans(two)
    found = intersect(left, right)
    for moment in range(61):
        both = any(s.start <= moment < s.end for s in left) and any(
            s.start <= moment < s.end for s in right
        )
        assert any(s.start <= moment < s.end for s in found) == both
