"""Runs on Ray: on one that is started here for the purpose, or on a cluster that is there."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from crypto_quant.core.errors import ConfigError, WorkerDiedError
from crypto_quant.core.interrupts import held

SCHEME: Final = "ray://"
_SETTINGS: Final = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0"}
"""It tells its makers nothing, and gives calls the priority of any process."""

_MODE: Final = "RAY_AUTH_MODE"
_TOKENS: Final = ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")
"""What says how Ray's nodes know one another, and where a token is beside its own folder."""

_STARTS: Final = 3
_ANSWERS_WITHIN_S: Final = 10.0
_STORE_BYTES: Final = 256 * 1024 * 1024
"""Room for results of a Ray that is started here: they are small."""

R = TypeVar("R")


class RayCluster:
    """Tasks of Ray, one processor each.

    Every node must have this package, in the same version, and what a task reads at the same
    path. A task is not tried again by Ray: ``spread.ended`` does that, as on every executor.

    Parameters
    ----------
    workers
        Tasks beside one another on a Ray that is started here.
    address
        A running Ray's, ``ray://host:port``; without one, a Ray is started here and ended.
    """

    def __init__(self, workers: int, address: str | None = None) -> None:
        self._workers = workers
        self._address = address
        self._pending: set[Any] = set()
        self._remote: dict[Callable[..., Any], Any] = {}

    @property
    def at_once(self) -> int:
        """Processors that Ray has."""
        return self._workers

    def submit(self, work: Callable[..., R], /, *arguments: object) -> Future[R]:
        """Queue a call of a module's function."""
        task = self._remote.get(work)
        if task is None:
            task = self._remote[work] = self._ray.remote(num_cpus=1, max_retries=0)(work)
        reference = task.remote(*arguments)
        self._pending.add(reference)
        told: Future[R] = Future()
        reference.future().add_done_callback(lambda ended: self._tell(ended, told, reference))
        return told

    def __enter__(self) -> Self:
        for name, value in _SETTINGS.items():
            os.environ.setdefault(name, value)
        if self._address is not None and _has_token():
            os.environ.setdefault(_MODE, "token")  # a client shows none unless it is told to
        try:
            with held():
                import ray
        except ModuleNotFoundError as err:
            raise ConfigError(
                f"executor: {err.name} is not installed; install crypto-quant with its 'ray' extra"
            ) from err
        self._ray = ray
        if self._address is not None:
            _reach(self._address)
        terminate = signal.getsignal(signal.SIGTERM)
        try:
            self._start()
            if self._address is not None:
                self._workers = max(1, int(ray.cluster_resources().get("CPU", 1)))
        except Exception as err:  # Ray raises what it likes, bare ones too
            where = self._address or "a Ray on this machine"
            said = (str(err).strip() or type(err).__name__).splitlines()[-1]  # of a traceback
            raise ConfigError(f"executor: {where} cannot be used: {said}") from err
        finally:
            signal.signal(signal.SIGTERM, terminate)  # it puts one of its own in place
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Cancel what is queued or runs, and leave Ray; end it where it was started here."""
        with held():
            for reference in list(self._pending):
                self._ray.cancel(reference, force=True)
            self._ray.shutdown()

    def _start(self) -> None:
        """Start or join a Ray; it gives up on itself when its machine is busy for too long."""
        own = {
            "num_cpus": self._workers,
            "object_store_memory": _STORE_BYTES,
            "include_dashboard": False,
        }
        for left in reversed(range(_STARTS)):
            try:
                self._ray.init(
                    address=self._address or "local",
                    log_to_driver=False,
                    logging_level="error",
                    **({} if self._address else own),
                )
            except Exception:
                self._ray.shutdown()
                if not left:
                    raise
            else:
                return

    def _tell(self, ended: Future[R], told: Future[R], reference: object) -> None:
        """Pass on how a task ended, with the error that its function raised."""
        self._pending.discard(reference)
        error = ended.exception()
        if error is None:
            told.set_result(ended.result())
        elif isinstance(error, self._ray.exceptions.RayTaskError):
            told.set_exception(error.cause if isinstance(error.cause, Exception) else error)
        else:  # the worker, its node or Ray itself is gone
            told.set_exception(WorkerDiedError())


def _has_token() -> bool:
    return any(name in os.environ for name in _TOKENS) or (Path.home() / ".ray/auth_token").exists()


def _reach(address: str) -> None:
    """Refuse an address at which nothing answers: Ray itself tries for a minute.

    Raises
    ------
    ConfigError
        It is no address, or nobody is there.
    """
    host, _, port = address.removeprefix(SCHEME).rpartition(":")
    if not host or not port.isdecimal():
        raise ConfigError(f"executor: expected {SCHEME}host:port, was {address!r}")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _ANSWERS_WITHIN_S).close()
    except (OSError, OverflowError) as err:
        raise ConfigError(f"executor: {address} cannot be used: {err}") from err
