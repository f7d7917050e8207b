"""The fit finds again what made a market, and refuses what it cannot be done on."""

from __future__ import annotations

import tomllib

import numpy as np
import pytest
from scipy.optimize import nnls  # type: ignore[import-untyped]  # ships no types

from crypto_quant.core.errors import ConfigError, DataError
from crypto_quant.data_pipeline.generated import fit as fitting
from crypto_quant.data_pipeline.generated.observed import frames_of
from crypto_quant.data_pipeline.generated.parameters import load_parameters, to_toml
from crypto_quant.data_pipeline.generated.recorder import START_NS, pieces, recorder


def test_what_a_market_was_made_of_is_found_in_its_frames() -> None:
    shipped = load_parameters()
    still = {key: [1.0, 0.0] for key in ("activity", "lean", "basis", "rate")}
    driven = {**shipped, "slow": {**still, "mean_rate": 0.0}}
    text = pieces(recorder(driven, seed=5), START_NS + 600 * 10**9)
    found = fitting.fit(frames_of("made", text))
    taking, before = found["taking"], shipped["taking"]
    assert taking["bounds"] == pytest.approx(before["bounds"], rel=0.15)
    assert sum(taking["memory"]) == pytest.approx(sum(before["memory"]), abs=0.1)
    middle = len(before["size"]) // 2
    assert taking["size"][middle] == pytest.approx(before["size"][middle], rel=0.15)
    assert found["touch"]["change"] == pytest.approx(shipped["touch"]["change"], rel=0.1)
    assert found["closing"]["follow"] == pytest.approx(shipped["closing"]["follow"], abs=0.1)
    for band, made in zip(found["band"][3:-1], shipped["band"][3:-1], strict=True):
        # What the touch leaves behind as it moves adds to what bands count of themselves.
        assert band["change"] == pytest.approx(made["change"], rel=0.35), band["from"]
        assert band["arrival"] == pytest.approx(made["arrival"], rel=0.35), band["from"]


def test_the_memory_of_signs_solves_the_same_equations_as_scipys() -> None:
    rng = np.random.default_rng(2)
    signs = [1.0]
    for _ in range(20_000):
        copied = rng.random() < 0.5
        signs.append(
            signs[-int(rng.integers(1, min(4, len(signs) + 1)))]
            if copied
            else rng.choice([-1.0, 1.0])
        )
    sides = np.array(signs)
    ours = fitting.memory(sides, lags=6)
    centred = sides - sides.mean()
    rho = np.array([centred[k:] @ centred[: len(centred) - k] for k in range(7)])
    rho /= rho[0]
    matrix = rho[np.abs(np.subtract.outer(np.arange(6), np.arange(6)))]
    assert ours == pytest.approx(nnls(matrix, rho[1:])[0], abs=1e-6)
    assert ours[:3] == pytest.approx([1 / 6] * 3, abs=0.03)


def test_the_last_step_of_a_table_has_the_mean_of_the_sample_there() -> None:
    values = np.random.default_rng(3).pareto(1.5, 50_000) + 1.0
    table = fitting.quantiles(values, 33)
    top = values[values >= table[-2]].mean()
    ratio = np.log(table[-1] / table[-2])
    assert (table[-1] - table[-2]) / ratio == pytest.approx(top, rel=1e-9)
    assert fitting.quantiles(np.array([4, 4, 4]), 5).tolist() == [4.0] * 5


def test_the_toml_reads_back() -> None:
    shipped = load_parameters()
    assert tomllib.loads(to_toml(shipped, "from a test\nof two lines")) == shipped


def test_what_cannot_be_fitted_or_used_is_said_in_words(tmp_path: object) -> None:
    native = recorder(load_parameters(), seed=1, with_quotes=False)
    with pytest.raises(DataError, match="no quote frame in it; record those streams"):
        frames_of("a.gz", pieces(native, START_NS + 10**9))
    with pytest.raises(DataError, match=r"a.gz: line 1"):
        frames_of("a.gz", [b"no frame\n"])
    broken = load_parameters()
    broken["closing"]["delay"] = 0.0
    with pytest.raises(ConfigError, match="closing: expected a delay"):
        recorder(broken, seed=1)
    del broken["closing"]["delay"]
    with pytest.raises(ConfigError, match="delay"):
        recorder(broken, seed=1)
