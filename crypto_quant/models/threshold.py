"""How sure a fold's model must be before a trade is expected to pay its costs."""

from __future__ import annotations

import math
from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from crypto_quant.core.config import Section
from crypto_quant.models.labels import Labels


class ThresholdConfig(Section):
    """Quantiles of the absolute edge that are tried, and how sure the gain must be.

    A quantile passes when the mean net return of the trades above it, less ``confidence``
    standard errors, is positive.
    """

    quantiles: tuple[Annotated[float, Field(ge=0, lt=1)], ...] = Field(
        (0.5, 0.6, 0.7, 0.8, 0.9, 0.95), min_length=1
    )
    confidence: float = Field(1.0, ge=0, le=100)
    inner_folds: int = Field(3, ge=2, le=100)
    embargo_h: int = Field(24, ge=0, le=8_760)


class Threshold(NamedTuple):
    """What ``|p_up - p_down|`` must exceed to be traded, and what that was worth in training.

    ``edge`` is infinite where no quantile passed: the fold stands aside, and the other
    numbers are those of the highest quantile (NaN without predictions). ``dispersion`` is
    the standard deviation of all the edges it was fitted on, ``expected_net`` the weighted
    mean net return of the trades above it, ``error`` its standard error, ``n_effective``
    their effective number.
    """

    edge: float
    dispersion: float
    expected_net: float
    error: float
    n_effective: float


def fit_threshold(
    edge: NDArray[np.float64],
    labels: Labels,
    uniqueness: NDArray[np.float64],
    config: ThresholdConfig,
) -> Threshold:
    """Return the lowest threshold whose trades pay, judged on predictions not trained on.

    Parameters
    ----------
    edge
        ``p_up - p_down`` of each label by a model that did not see it, shape (m,); NaN
        where there is none.
    labels
        What going long or short came to.
    uniqueness
        Average uniqueness of the labels (m,); its sum over the trades is their number.
    config
        Quantiles and confidence.
    """
    known = ~np.isnan(edge)
    if not known.any():
        return Threshold(math.inf, math.nan, math.nan, math.nan, 0.0)
    size = np.abs(edge[known])
    net = np.where(edge > 0, labels.net_long, labels.net_short)[known]
    weight = uniqueness[known]
    dispersion = float(edge[known].std())
    tried = Threshold(math.inf, dispersion, math.nan, math.nan, 0.0)
    for level in np.quantile(size, sorted(config.quantiles)):
        taken = size > level
        if not taken.any():
            break
        mean, error, effective = _worth(net[taken], weight[taken])
        tried = Threshold(float(level), dispersion, mean, error, effective)
        if tried.expected_net - config.confidence * tried.error > 0:
            return tried
    return tried._replace(edge=math.inf)


def _worth(net: NDArray[np.float64], weight: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return the weighted mean, its standard error and the effective number."""
    effective = float(weight.sum())
    mean = float(weight @ net) / effective
    variance = float(weight @ (net - mean) ** 2) / effective
    return mean, math.sqrt(variance / effective), effective
