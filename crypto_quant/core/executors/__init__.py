"""Where runs that do not depend on one another are computed: here, in processes, on Ray.

One file an executor and one line in ``EXECUTORS``; what they compute is the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from crypto_quant.core.errors import ConfigError
from crypto_quant.core.executors.inline import Inline
from crypto_quant.core.executors.pool import Pool
from crypto_quant.core.executors.ray_cluster import SCHEME, RayCluster
from crypto_quant.core.executors.spread import Ended, ended, in_order
from crypto_quant.core.ports import Executor

EXECUTORS: Final[Mapping[str, Callable[[int], Executor]]] = {
    "inline": Inline,
    "pool": Pool,
    "ray": RayCluster,
}
"""What a line of config chooses, each made with how many calls may run beside one another."""


def executor_of(name: str, workers: int) -> Executor:
    """Return the executor of a line of config.

    Parameters
    ----------
    name
        A key of ``EXECUTORS``, or the address of a running Ray, ``ray://host:port``.
    workers
        Calls that run beside one another; a running Ray takes as many as it has room for.

    Raises
    ------
    ConfigError
        It is neither.
    """
    if name.startswith(SCHEME):
        return RayCluster(workers, name)
    if name not in EXECUTORS:
        known = ", ".join(EXECUTORS)
        raise ConfigError(f"executor: expected {known} or {SCHEME}host:port, was {name!r}")
    return EXECUTORS[name](workers)


__all__ = [
    "EXECUTORS",
    "Ended",
    "Executor",
    "Inline",
    "Pool",
    "RayCluster",
    "ended",
    "executor_of",
    "in_order",
]
