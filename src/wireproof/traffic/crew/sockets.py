"""Sockets that know when bytes left and when the kernel received them.

A busy client reads late; the kernel does not. SO_TIMESTAMPNS gives the arrival time of the last segment that a
read took, as ancillary data of recvmsg. What remains is our own lag, user time minus kernel time, which is
reported. Over TLS the records are decrypted from memory, so that the bytes still come through recvmsg.
Platforms without SO_TIMESTAMPNS fall back to user time, and the run says so.
"""

from __future__ import annotations

import socket
import ssl
import struct
import sys
import time
from typing import Any

import gevent.socket
from geventhttpclient.connectionpool import ConnectionPool

from wireproof.traffic.lag import Lags

# Linux, asm-generic/socket.h; the socket module does not export it. The timespec is two 64-bit integers there.
SO_TIMESTAMPNS = 35
TIMESPEC = struct.Struct("=qq")
ANCILLARY = socket.CMSG_SPACE(TIMESPEC.size)
HAS_KERNEL_TIME = sys.platform == "linux" and struct.calcsize("l") == 8
# A lag outside this range is no lag: the wall clock was set between arrival and reading.
SANE_LAG_S = (-0.000_5, 60.0)
READ_BYTES = 65_536
SAME_MOMENT_S = 0.000_1


def both_clocks() -> tuple[float, int]:
    """Monotonic seconds and wall-clock nanoseconds of one moment.

    Asked again when the process was put aside between the two: on a busy machine that is 4 ms, and would date
    an answer before its request.
    """
    while True:
        before, wall_ns, after = time.monotonic(), time.time_ns(), time.monotonic()
        if after - before < SAME_MOMENT_S:
            return before, wall_ns


class Stamps:
    """What the sockets of one worker have seen together."""

    def __init__(self) -> None:
        self.lags = Lags()
        self.clock_steps = 0
        self.kernel_reads = 0
        self.user_reads = 0

    @property
    def clock(self) -> str:
        return "kernel" if self.kernel_reads and not self.user_reads else "user"


class StampedSocket(gevent.socket.socket):  # type: ignore[misc]  # gevent has no types
    """`received_s`: when the last bytes read arrived; `sent_s`: when the last sendall began. Monotonic seconds."""

    stamps: Stamps
    received_s = 0.0
    sent_s = 0.0

    def watch(self, stamps: Stamps) -> None:
        self.stamps = stamps
        if HAS_KERNEL_TIME:
            self.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)

    def sendall(self, data: bytes, flags: int = 0) -> Any:
        self.sent_s = time.monotonic()
        return super().sendall(data, flags)

    def recv(self, size: int, flags: int = 0) -> bytes:
        if not HAS_KERNEL_TIME:
            data: bytes = super().recv(size, flags)
            self.received_s = time.monotonic()
            self.stamps.user_reads += 1
            return data
        data, ancillary, _, _ = self.recvmsg(size, ANCILLARY, flags)
        self.received_s, wall_ns = both_clocks()
        if data:
            self._backdate(ancillary, wall_ns)
        return data

    def _backdate(self, ancillary: list[tuple[int, int, bytes]], wall_ns: int) -> None:
        """Moves `received_s` back to the kernel's moment, which is given in wall-clock time."""
        for level, kind, stamp in ancillary:
            if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
                seconds, nanoseconds = TIMESPEC.unpack(stamp[: TIMESPEC.size])
                lag_s = (wall_ns - seconds * 1_000_000_000 - nanoseconds) / 1e9
                if SANE_LAG_S[0] <= lag_s <= SANE_LAG_S[1]:
                    self.received_s -= max(0.0, lag_s)
                    self.stamps.lags.add(lag_s * 1000)
                    self.stamps.kernel_reads += 1
                else:
                    self.stamps.clock_steps += 1
                return
        self.stamps.user_reads += 1


class StampedTls:
    """A TLS client over a StampedSocket: the part of a socket that geventhttpclient's response and pool use."""

    def __init__(self, raw: StampedSocket, context: ssl.SSLContext, host: str) -> None:
        self._raw = raw
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_hostname=host)
        self.sent_s = 0.0
        self._drive(self._tls.do_handshake)

    @property
    def received_s(self) -> float:
        return self._raw.received_s

    def sendall(self, data: bytes) -> None:
        self.sent_s = time.monotonic()
        rest = memoryview(data)
        while rest:
            rest = rest[self._drive(lambda: self._tls.write(rest)) :]  # noqa: B023  # called at once

    def recv(self, size: int) -> bytes:
        try:
            data: bytes = self._drive(lambda: self._tls.read(size))
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""
        return data

    def settimeout(self, seconds: float | None) -> None:
        self._raw.settimeout(seconds)

    def fileno(self) -> int:
        return int(self._raw.fileno())

    def close(self) -> None:
        self._raw.close()

    def _drive(self, step: Any) -> Any:
        """Runs one TLS step, moving records between memory and the socket until it is done."""
        while True:
            try:
                done = step()
            except ssl.SSLWantReadError:
                self._flush()
                records = self._raw.recv(READ_BYTES)
                if records:
                    self._in.write(records)
                else:
                    self._in.write_eof()
            else:
                self._flush()
                return done

    def _flush(self) -> None:
        if self._out.pending:
            self._raw.sendall(self._out.read())


class StampedPool(ConnectionPool):
    """Keep-alive connections to one host; all share one TLS context, which verifies certificates."""

    def __init__(self, host: str, port: int, *, tls: bool, size: int, connect_s: float, stamps: Stamps) -> None:
        super().__init__(host, port, host, port, size=size, connection_timeout=connect_s)
        self.stamps = stamps
        self._tls_host = host
        self._context = ssl.create_default_context() if tls else None

    def _create_tcp_socket(self, family: int, socktype: int, protocol: int) -> StampedSocket:
        sock = StampedSocket(family, socktype, protocol)
        sock.watch(self.stamps)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def _connect_socket(self, sock: StampedSocket, address: Any) -> Any:
        sock.connect(address)
        return StampedTls(sock, self._context, self._tls_host) if self._context else sock

    def after_connect(self, sock: Any) -> None:
        """Marks the connection as new, so that the sender can tell connect time from waiting."""
        sock.is_fresh = True
