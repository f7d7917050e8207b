"""One prediction without Python overhead: the single-row calls of LightGBM's C API.

``Booster.predict`` checks and copies its input, about 30 µs a row; here the row buffer,
the result and every argument are set up once.

References
----------
https://lightgbm.readthedocs.io/en/stable/C-API.html (``LGBM_BoosterPredictForMatSingleRowFast``)
"""

from __future__ import annotations

import ctypes
from weakref import finalize

import numpy as np
from lightgbm.libpath import _LIB
from numpy.typing import NDArray

from crypto_quant.core.errors import DataError, InvariantError
from crypto_quant.models.protocol import CLASSES, ClassProbabilities

FLOAT64 = 1
NORMAL_PREDICTION = 0
ALL_ROUNDS = -1


class SingleRow:
    """A booster that is asked one row at a time; not safe for use by two threads at once.

    Parameters
    ----------
    text
        A model in LightGBM's text format.

    Raises
    ------
    DataError
        The text is no model.
    """

    __slots__ = ("__weakref__", "_arguments", "_call", "_finalizer", "_out", "_row")

    def __init__(self, text: str) -> None:
        booster, fast = ctypes.c_void_p(), ctypes.c_void_p()
        rounds = ctypes.c_int()
        _check(
            _LIB.LGBM_BoosterLoadModelFromString(
                text.encode(), ctypes.byref(rounds), ctypes.byref(booster)
            )
        )
        width = ctypes.c_int()
        _check(_LIB.LGBM_BoosterGetNumFeature(booster, ctypes.byref(width)))
        _check(
            _LIB.LGBM_BoosterPredictForMatSingleRowFastInit(
                booster,
                ctypes.c_int(NORMAL_PREDICTION),
                ctypes.c_int(0),
                ctypes.c_int(ALL_ROUNDS),
                ctypes.c_int(FLOAT64),
                ctypes.c_int32(width.value),
                b"num_threads=1",
                ctypes.byref(fast),
            )
        )
        self._finalizer = finalize(self, _free, booster, fast)
        self._row = np.empty(width.value, dtype=np.float64)
        self._out = (ctypes.c_double * len(CLASSES))()
        length = ctypes.c_int64()
        self._arguments = (
            fast,
            self._row.ctypes.data_as(ctypes.c_void_p),
            ctypes.byref(length),
            self._out,
        )
        self._call = _LIB.LGBM_BoosterPredictForMatSingleRowFast

    def predict(self, row: NDArray[np.float64]) -> ClassProbabilities:
        """Return the probabilities of one row (k,).

        Raises
        ------
        DataError
            The row has another number of features than the model.
        """
        if row.shape != self._row.shape:
            raise DataError(f"model: expected {self._row.shape[0]} features, was {row.shape}")
        self._row[:] = row
        if self._call(*self._arguments):
            raise InvariantError(f"lightgbm: {_last_error()}")
        return ClassProbabilities._make(self._out)


def _check(code: int) -> None:
    if code:
        raise DataError(f"model: LightGBM refused it: {_last_error()}")


def _last_error() -> str:
    _LIB.LGBM_GetLastError.restype = ctypes.c_char_p
    return str(_LIB.LGBM_GetLastError().decode(errors="replace"))


def _free(booster: ctypes.c_void_p, fast: ctypes.c_void_p) -> None:
    # The fast configuration reads the booster, so it goes first.
    _LIB.LGBM_FastConfigFree(fast)
    _LIB.LGBM_BoosterFree(booster)
