"""A cell on the side of the worker: it must have the sender's code, and its fault is a value."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from crypto_quant.backtesting.engine import identity
from crypto_quant.backtesting.sweep.figures import Figures
from crypto_quant.core.errors import CryptoQuantError, InvariantError
from crypto_quant.core.panics import as_errors


class Failure(NamedTuple):
    """Why a cell has no figures; ``is_ours``: a defect of this package, not of the settings."""

    text: str
    is_ours: bool


class Identity(NamedTuple):
    """Hashes of data and code that every cell of a sweep must be run on."""

    data: str
    code: str


def outcome(run: Callable[[], Figures]) -> Figures | Failure:
    """Run a cell; what it raises is returned, so that the other cells go on.

    An error as a value also reads the same from every executor: some cannot send all that
    can be raised.
    """
    try:
        with as_errors():
            return run()
    except CryptoQuantError as err:
        notes = "".join(f" ({note})" for note in getattr(err, "__notes__", ()) if note)
        return Failure(f"{err}{notes}", is_ours=err.exit_code != 2)
    except Exception as err:  # a defect; the cells beside it are worth having all the same
        at = traceback.extract_tb(err.__traceback__)[-1]
        where = f"{at.filename.rpartition('/')[2]}:{at.lineno}"
        return Failure(f"{type(err).__name__} at {where}: {err}", is_ours=True)


def require_same(expected: Identity, data: str) -> None:
    """Check that this worker runs the sender's code on the sender's data.

    Raises
    ------
    InvariantError
        It does not: a node of a cluster has another version, or another catalog.
    """
    for what, want, have in (("code", expected.code, _code()), ("data", expected.data, data)):
        if want != have:
            raise InvariantError(
                f"a worker has other {what} ({have[:8]}) than the sweep ({want[:8]}): every node "
                "needs the same version of crypto-quant and the same catalog at the same path"
            )


@lru_cache(maxsize=1)
def _code() -> str:
    return identity.source_hash()
