"""Every registered model keeps the promises of the protocol."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from crypto_quant.core.errors import DataError
from crypto_quant.models import LOADERS, MODELS
from crypto_quant.models.protocol import CLASSES, Model

pytestmark = pytest.mark.parametrize("name", MODELS)

Sample = tuple[NDArray[np.float64], NDArray[np.int8], NDArray[np.float64]]


def _sample(seed: int = 2, n: int = 1_200) -> Sample:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 4))
    drive = x[:, 0] + 0.5 * rng.normal(size=n)
    y = np.where(drive > 0.6, 1, np.where(drive < -0.6, -1, 0)).astype(np.int8)
    x[rng.random(x.shape) < 0.05] = np.nan
    return x, y, rng.uniform(0.05, 0.5, n)


def _fitted(name: str, seed: int = 1, sample: Sample | None = None) -> Model:
    model = MODELS[name](seed)
    model.fit(*(sample or _sample()))
    return model


def test_registries_name_the_same_models(name: str) -> None:
    assert name in LOADERS
    assert MODELS.keys() == LOADERS.keys()


def test_same_seed_gives_the_same_bytes_and_id(name: str) -> None:
    first, second = _fitted(name), _fitted(name)
    assert first.save() == second.save()
    assert first.id == second.id
    assert first.id.startswith(name)


def test_probabilities_are_three_a_row_and_sum_to_one(name: str) -> None:
    x, _, _ = _sample()
    proba = _fitted(name).predict_proba(x)
    assert proba.shape == (len(x), len(CLASSES))
    assert (proba >= 0).all()
    assert proba.sum(axis=1) == pytest.approx(np.ones(len(x)))
    assert _fitted(name).predict_proba(x[:0]).shape == (0, len(CLASSES))


def test_columns_are_in_the_order_of_the_classes(name: str) -> None:
    model = _fitted(name)
    rising = model.predict_row(np.array([3.0, 0.0, 0.0, 0.0]))
    falling = model.predict_row(np.array([-3.0, 0.0, 0.0, 0.0]))
    assert rising.up > max(rising.flat, rising.down)
    assert falling.down > max(falling.flat, falling.up)


def test_row_and_matrix_predict_alike_in_any_company(name: str) -> None:
    x, _, _ = _sample()
    model = _fitted(name)
    matrix = model.predict_proba(x[:60])
    assert [list(model.predict_row(row)) for row in x[:60]] == matrix.tolist()
    # A scaler fitted on what is predicted would make a row's answer depend on its company.
    np.testing.assert_array_equal(model.predict_proba(x[10:20] * 1.0), matrix[10:20])


def test_prediction_leaves_the_model_as_it_was(name: str) -> None:
    x, _, _ = _sample()
    model = _fitted(name)
    before = model.save()
    model.predict_proba(x * 100.0)
    assert model.save() == before


def test_saved_and_loaded_predicts_alike(name: str) -> None:
    x, _, _ = _sample()
    model = _fitted(name)
    loaded = LOADERS[name](model.save())
    assert loaded.id == model.id
    assert loaded.save() == model.save()
    np.testing.assert_array_equal(loaded.predict_proba(x), model.predict_proba(x))
    assert loaded.predict_row(x[3]) == model.predict_row(x[3])


def test_fit_changes_none_of_its_inputs(name: str) -> None:
    sample = _sample()
    copies = [array.copy() for array in sample]
    _fitted(name, sample=sample)
    for array, copy in zip(sample, copies, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_weights_count(name: str) -> None:
    x, y, weight = _sample()
    plain = _fitted(name, sample=(x, y, weight))
    scaled = _fitted(name, sample=(x, y, weight * 64.0))
    tilted = _fitted(name, sample=(x, y, np.where(y == 1, weight * 10, weight)))
    np.testing.assert_array_equal(plain.predict_proba(x), scaled.predict_proba(x))
    assert tilted.predict_proba(x)[:, 2].mean() > plain.predict_proba(x)[:, 2].mean() + 0.1


def test_bytes_of_something_else_are_refused(name: str) -> None:
    with pytest.raises(DataError):
        LOADERS[name](b"something else")
