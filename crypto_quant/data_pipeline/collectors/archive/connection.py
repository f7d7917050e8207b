"""One HTTP connection to the archive: opened, asked, cut when it stalls."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Final
from urllib.parse import SplitResult, quote, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from crypto_quant.core.errors import ConfigError, DataError, RateLimited, Transient

_PIECE: Final = 1 << 16
_SMALL: Final = 1 << 12
_AGENT: Final = "crypto-quant"


class Missing(DataError):  # noqa: N818 - names what was found out: the file is not there
    """The archive has no such file."""


class Broken(Transient):
    """A transfer ended before its end."""


class Busy(RateLimited):
    """The archive asks to come back later; ``after_s`` says when, if it said so."""

    def __init__(self, message: str, after_s: float) -> None:
        super().__init__(message)
        self.after_s = after_s


@dataclass(frozen=True, slots=True)
class Patience:
    """How slow a transfer may be.

    ``timeout_s`` without a byte, or a mean rate below ``bytes_per_s`` over that time, end it.
    """

    timeout_s: float = 30.0
    bytes_per_s: float = 1024.0


def address(base: str) -> SplitResult:
    """Check the archive's address.

    Raises
    ------
    ConfigError
        It is no http or https address.
    """
    parts = urlsplit(base)
    with suppress(ValueError):  # a port that is no number
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return parts
    raise ConfigError(f"archive address {base!r}: expected something like https://host")


class Answer:
    """What the archive answered: status, headers, and the body in pieces."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self._response = response
        self._length = response.length

    @property
    def begins(self) -> int:
        """The first byte of the file that the body holds."""
        found = re.match(r"bytes (\d+)-", self._response.getheader("Content-Range") or "")
        return int(found[1]) if self.status == http.client.PARTIAL_CONTENT and found else 0

    def text(self) -> str:
        """Return the body of a small text file; the connection can be used again after it."""
        with _on_wire():
            body = self._response.read(_SMALL)
        if self._length is not None and len(body) < min(self._length, _SMALL):
            raise Broken(f"ended after {len(body)} of {self._length} bytes")
        return body.decode("utf-8", "replace")

    def pieces(self, patience: Patience, clock: Callable[[], float]) -> Iterator[bytes]:
        """Yield the body.

        Raises
        ------
        Broken
            It ended early, stood still or was slower than patience allows.
        """
        length, received, since, window = self._length, 0, clock(), 0
        while length is None or received < length:
            with _on_wire():
                piece = self._response.read1(_PIECE)
            if not piece:
                break
            received += len(piece)
            window += len(piece)
            yield piece
            elapsed = clock() - since
            if elapsed >= patience.timeout_s:
                if window < patience.bytes_per_s * elapsed:
                    raise Broken(f"{window} bytes in {elapsed:.0f} s: too slow")
                since, window = clock(), 0
        if length is not None and received < length:
            raise Broken(f"ended after {received} of {length} bytes")


class Connection:
    """A connection to an archive, for one attempt at one file; a context manager.

    Parameters
    ----------
    base : SplitResult
        The checked address; a path in it goes before every file's.
    timeout_s : float
        Longest wait for the connection, and for a byte.
    """

    def __init__(self, base: SplitResult, timeout_s: float) -> None:
        self._base = base
        self._http = _client(base, timeout_s)
        self._socket: socket.socket | None = None

    def __enter__(self) -> Connection:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, at: TracebackType | None
    ) -> None:
        self._http.close()

    def open(self) -> None:
        """Connect.

        Raises
        ------
        Broken
            The host has no address, or takes no connection.
        """
        with _on_wire():
            self._http.connect()
            self._socket = self._http.sock

    def cut(self) -> None:
        """End a transfer that another thread waits for."""
        if self._socket is not None:
            with suppress(OSError):
                # Of the base class: TLS would say goodbye first, to a server that may not answer.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def ask(self, method: str, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Ask for a file.

        Raises
        ------
        Missing
            There is none.
        Transient, RateLimited
            The same question may be answered later.
        DataError
            The archive refuses.
        """
        if self._socket is None:
            self.open()
        target = quote(f"{self._base.path.rstrip('/')}/{path}")
        with _on_wire():
            self._http.request(method, target, headers={"User-Agent": _AGENT, **(headers or {})})
            response = self._http.getresponse()
        _check(response, path)
        return Answer(response)


def _check(response: http.client.HTTPResponse, path: str) -> None:
    status = response.status
    if status in (200, 206, 416):
        return
    said = f"{path}: the archive answered {status} {response.reason}".rstrip()
    if status == http.client.NOT_FOUND:
        raise Missing(f"{path}: not in the archive")
    if status == http.client.TOO_MANY_REQUESTS or status >= http.client.INTERNAL_SERVER_ERROR:
        after = response.getheader("Retry-After") or ""
        raise Busy(said, float(after) if after.isdigit() else 0.0)
    if status == http.client.REQUEST_TIMEOUT:
        raise Broken(said)
    moved = response.getheader("Location")
    raise DataError(f"{said}{f', moved to {moved}' if moved else ''}; give its address as --base")


def _client(base: SplitResult, timeout_s: float) -> http.client.HTTPConnection:
    host = base.hostname or ""
    is_tls = base.scheme == "https"
    port = base.port or (443 if is_tls else 80)
    proxy = None if proxy_bypass(host) else getproxies().get(base.scheme)
    via = address(proxy if "://" in proxy else f"http://{proxy}") if proxy else None
    to = (host, port) if via is None else (via.hostname or "", via.port or 80)
    client: http.client.HTTPConnection
    if is_tls:
        client = http.client.HTTPSConnection(
            *to, timeout=timeout_s, context=ssl.create_default_context()
        )
    else:
        client = http.client.HTTPConnection(*to, timeout=timeout_s)
    if via is not None:
        client.set_tunnel(host, port, headers=_login(via))
    return client


def _login(proxy: SplitResult) -> dict[str, str]:
    if proxy.username is None:
        return {}
    words = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {b64encode(words.encode()).decode()}"}


@contextmanager
def _on_wire() -> Iterator[None]:
    """Turn what can happen to a connection (cut TLS: ``ValueError``) into ``Broken``."""
    try:
        yield
    except (OSError, http.client.HTTPException, ValueError) as err:
        words = getattr(err, "strerror", None) or str(err) or type(err).__name__
        raise Broken(words) from err
