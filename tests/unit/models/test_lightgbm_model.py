"""What is particular to LightGBM: the fast row, its text format, the optional extra."""

from __future__ import annotations

import pickle
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_quant.core.errors import ConfigError, DataError, InvariantError
from crypto_quant.models.ml_models.lightgbm_model import LightGBMModel
from crypto_quant.models.ml_models.single_row import SingleRow


@pytest.fixture(scope="module")
def fitted() -> LightGBMModel:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(900, 5))
    x[rng.random(x.shape) < 0.1] = np.nan
    y = np.sign(np.nan_to_num(x[:, 1]) + rng.normal(size=900)).astype(np.int8)
    y[::3] = 0
    model = LightGBMModel(7)
    model.fit(x, y, rng.uniform(0.1, 1.0, 900))
    return model


@given(st.lists(st.floats(allow_infinity=True, allow_nan=True), min_size=5, max_size=5))
def test_predict_row_equals_booster_bit_for_bit(fitted: LightGBMModel, values: list[float]) -> None:
    import lightgbm

    row = np.array(values)
    booster = lightgbm.Booster(model_str=fitted.save().decode())
    assert list(fitted.predict_row(row)) == booster.predict(row[None, :])[0].tolist()


def test_predict_row_of_another_width_is_refused(fitted: LightGBMModel) -> None:
    with pytest.raises(DataError, match="expected 5 features"):
        fitted.predict_row(np.zeros(4))


def test_model_travels_by_pickle(fitted: LightGBMModel) -> None:
    copy = pickle.loads(pickle.dumps(fitted))  # noqa: S301 - our own bytes
    assert copy.save() == fitted.save()
    assert copy.id == fitted.id
    assert copy.predict_row(np.ones(5)) == fitted.predict_row(np.ones(5))


def test_fit_with_an_absent_kind_still_predicts_three() -> None:
    rng = np.random.default_rng(3)
    model = LightGBMModel(1)
    model.fit(rng.normal(size=(400, 2)), np.repeat([0, 1], 200).astype(np.int8), np.ones(400))
    proba = model.predict_proba(rng.normal(size=(50, 2)))
    assert proba.shape == (50, 3)
    assert proba.sum(axis=1) == pytest.approx(np.ones(50))
    assert proba[:, 0].max() < 1e-6


def test_fit_again_forgets_the_former_fit() -> None:
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(400, 2)), np.tile([-1, 1], 200).astype(np.int8)
    model = LightGBMModel(1)
    model.fit(x, y, np.ones(400))
    first_id, first = model.id, model.predict_row(x[0])
    model.fit(x, -np.sign(x[:, 0]).astype(np.int8), np.ones(400))
    assert model.id != first_id
    assert model.predict_row(x[0]) != first
    assert list(model.predict_row(x[0])) == model.predict_proba(x[:1])[0].tolist()


def test_fit_arrays_that_do_not_belong_together_are_refused() -> None:
    model = LightGBMModel(1)
    for shape in ((0, 2), (9, 0), (8, 2)):
        with pytest.raises(DataError, match="cannot fit"):
            model.fit(np.ones(shape), np.ones(9, dtype=np.int8), np.ones(9))


def test_unfitted_model_is_our_fault() -> None:
    with pytest.raises(InvariantError):
        LightGBMModel(1).predict_proba(np.ones((1, 2)))


def test_load_of_other_bytes_is_refused(fitted: LightGBMModel) -> None:
    saved = fitted.save()
    for wrong in (
        b"",
        b"\xff\x00 not a model",
        saved[: len(saved) // 2],
        saved.replace(b"num_class=3", b"num_class=2"),
    ):
        with pytest.raises(DataError, match="model"):
            LightGBMModel.load(wrong)


def test_single_row_of_broken_text_is_refused() -> None:
    with pytest.raises(DataError, match="LightGBM refused"):
        SingleRow("tree\nversion=v4\nnum_class=3\n")


def test_missing_extra_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    with pytest.raises(ConfigError, match=r"pip install 'crypto-quant\[models\]'"):
        LightGBMModel(1).fit(np.ones((9, 2)), np.ones(9, dtype=np.int8), np.ones(9))
