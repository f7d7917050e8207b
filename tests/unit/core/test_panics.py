"""Panics of the native core: errors that say where, also from another process."""

from __future__ import annotations

import subprocess
import sys
import traceback
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from crypto_quant.core.errors import InvariantError
from crypto_quant.core.panics import as_errors
from crypto_quant.venues.rules import load_instruments

MOST = 2**63 - 1


@as_errors()
def overflow() -> None:
    """Ask for a notional that no decimal holds: a panic below the native instrument."""
    load_instruments()["BTCUSDT-PERP.BINANCE"].native().notional(MOST, MOST)


def test_a_panic_is_an_error_that_says_where(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InvariantError, match="Multiplication overflowed") as caught:
        overflow()
    words = "".join(traceback.format_exception(caught.value))
    assert "arithmetic_impls.rs" in words
    assert "cq_types::instrument::Instrument::notional" in words
    assert capfd.readouterr() == ("", "")


def test_a_panic_of_a_worker_arrives_with_its_place() -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        error = pool.submit(overflow).exception(timeout=60)
    assert isinstance(error, InvariantError)
    words = "".join(traceback.format_exception(error))
    assert "cq_types::instrument::Instrument::notional" in words
    assert "test_panics.py" in words


def test_other_errors_pass() -> None:
    with pytest.raises(KeyError, match="x"), as_errors():
        raise KeyError("x")


def test_without_it_a_panic_is_printed_as_rust_does() -> None:
    program = "from tests.unit.core import test_panics; test_panics.overflow.__wrapped__()"
    words = [sys.executable, "-c", program]
    done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    assert "panicked at" in done.stderr
    assert "pyo3_runtime.PanicException: Multiplication overflowed" in done.stderr
