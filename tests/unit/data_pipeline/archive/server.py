"""A local server with the archive's layout, and the ways in which it can fail."""

from __future__ import annotations

import hashlib
import io
import socket
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import NamedTuple


class Fault(NamedTuple):
    """What happens to one request of a file: ``kind`` after ``after`` bytes of its body.

    ``status`` answers with ``after`` as status; ``reset``, ``close`` and ``stall`` break
    the body off; ``trickle`` sends the rest a byte at a time.
    """

    kind: str
    after: int = 0
    retry_after: str = ""


class Asked(NamedTuple):
    """A request that arrived."""

    method: str
    path: str
    range: str | None


@dataclass
class Archive:
    """Files by path, the faults that wait for each path, and what was asked."""

    base: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    has_ranges: bool = True
    lock: Lock = field(default_factory=Lock)
    is_over: Event = field(default_factory=Event)

    def add(self, path: str, content: bytes, digest: str | None = None) -> str:
        """Publish a file and its checksum, a wrong one if given; return the right one."""
        right = hashlib.sha256(content).hexdigest()
        self.files[path] = content
        name = path.rpartition("/")[2]
        self.files[f"{path}.CHECKSUM"] = f"{digest or right}  {name}\n".encode()
        return right

    def next_fault(self, path: str) -> Fault | None:
        """Take the fault that waits for a path."""
        with self.lock:
            waiting = self.faults.get(path, [])
            return waiting.pop(0) if waiting else None

    def bodies(self, path: str) -> list[str | None]:
        """Return the ranges in which a file's body was asked for."""
        return [a.range for a in self.asked if a.path == path and a.method == "GET"]


@contextmanager
def serving(archive: Archive) -> Iterator[Archive]:
    """Serve on a free local port until the block ends."""

    class Handler(_Handler):
        source = archive

    server = _Server(("127.0.0.1", 0), Handler)
    archive.base = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield archive
    finally:
        archive.is_over.set()
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay silent: clients that go away are what is tested."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    source: Archive

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_CONNECT(self) -> None:
        """Be a proxy to ourselves: the tunnel's other end is this very server."""
        with self.source.lock:
            self.source.asked.append(Asked("CONNECT", self.path, None))
        self.send_response(200)
        self.end_headers()
        self.close_connection = False

    def _answer(self, with_body: bool) -> None:
        path = self.path.lstrip("/")
        ranged = self.headers.get("Range")
        with self.source.lock:
            self.source.asked.append(Asked(self.command, path, ranged))
        fault = self.source.next_fault(path)
        if fault is not None and fault.kind == "status":
            self._send(fault.after, b"", {"Retry-After": fault.retry_after})
            return
        content = self.source.files.get(path)
        if content is None:
            self._send(404, b"<Code>NoSuchKey</Code>")
            return
        begin = 0
        if ranged and self.source.has_ranges:
            begin = int(ranged.removeprefix("bytes=").rstrip("-"))
            if begin >= len(content):
                self._send(416, b"")
                return
        body = content[begin:] if with_body else b""
        where = {"Content-Range": f"bytes {begin}-{len(content) - 1}/{len(content)}"}
        headers = where if ranged and self.source.has_ranges else {}
        self._send(206 if headers else 200, body, headers, fault)

    def _send(
        self,
        status: int,
        body: bytes,
        headers: dict[str, str] | None = None,
        fault: Fault | None = None,
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            if value:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        self.wfile.write(body if fault is None else body[: fault.after])
        self.wfile.flush()
        if fault is not None:
            self._break_off(fault, body)

    def _break_off(self, fault: Fault, body: bytes) -> None:
        self.close_connection = True
        if fault.kind == "reset":
            linger = struct.pack("ii", 1, 0)  # closing sends a reset
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.shutdown(socket.SHUT_RD)
            self.connection.close()
        elif fault.kind == "stall":
            self.source.is_over.wait(20)
        elif fault.kind == "trickle":
            for byte in body[fault.after :]:
                if self.source.is_over.wait(0.01):
                    return
                self.wfile.write(bytes([byte]))


def zipped(name: str, text: str) -> bytes:
    """Return a zip with one CSV, the same bytes every time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        member = zipfile.ZipInfo(name.replace(".zip", ".csv"), (2024, 1, 1, 0, 0, 0))
        archive.writestr(member, text, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
