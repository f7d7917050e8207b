"""Choosing: each candidate counted, nothing after the cut-off in sight."""

from __future__ import annotations

from pathlib import Path

import pytest

from crypto_quant.backtesting.validation.choosing import Segments, before, choose
from crypto_quant.backtesting.validation.trials import Trial, TrialCount, TrialLog
from crypto_quant.core.errors import ConfigError
from crypto_quant.models.labels import LabelConfig

CANDIDATES = {str(h): LabelConfig(horizon_h=h) for h in (6, 12, 24, 48)}
SEGMENTS = [(0, 100), (150, 300), (400, 500)]


def test_before_cuts_the_segment_in_two_and_drops_what_is_later() -> None:
    assert before(SEGMENTS, 200) == ((0, 100), (150, 200))
    assert before(SEGMENTS, 150) == ((0, 100),)
    assert before(SEGMENTS, 1_000) == tuple(SEGMENTS)
    assert before(SEGMENTS, 0) == ()


def test_choose_takes_the_best_and_counts_every_candidate(tmp_path: Path) -> None:
    log = TrialLog(tmp_path / "trials.sqlite")
    seen: list[tuple[int, Segments, int]] = []

    def score(trial: Trial, config: LabelConfig, past: Segments) -> float:
        seen.append((config.horizon_h, past, log.count().trials))
        return {6: float("nan"), 12: 0.2, 24: 0.3, 48: 0.3}[config.horizon_h]

    choice = choose(log, CANDIDATES, "d", "c", SEGMENTS, 200, score)
    assert (choice.name, choice.config) == ("24", CANDIDATES["24"])
    assert list(choice.scores) == ["6", "12", "24", "48"]
    past = ((0, 100), (150, 200))
    assert seen == [(6, past, 1), (12, past, 2), (24, past, 3), (48, past, 4)]
    assert log.count() == TrialCount(4, 4, 4)
    assert log.outcomes("score") == [0.2, 0.3, 0.3]


def test_choose_without_past_data_or_scores_is_refused(tmp_path: Path) -> None:
    log = TrialLog(tmp_path / "trials.sqlite")

    def blind(trial: Trial, config: LabelConfig, past: Segments) -> float:
        return float("nan")

    with pytest.raises(ConfigError, match="no data before"):
        choose(log, CANDIDATES, "d", "c", SEGMENTS, 0, blind)
    assert log.count().trials == 0
    with pytest.raises(ConfigError, match="none of the candidates 6, 12, 24, 48"):
        choose(log, CANDIDATES, "d", "c", SEGMENTS, 200, blind)
