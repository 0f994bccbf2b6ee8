"""One request on a real socket, against a server that writes exactly the bytes it is told to."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from wireproof.traffic.crew.sender import Destination, Sender
from wireproof.traffic.crew.sockets import HAS_KERNEL_TIME, both_clocks
from wireproof.traffic.keepsake import Keepsake
from wireproof.traffic.profile import Item, Patience
from wireproof.traffic.requests import ready
from wireproof.traffic.sample import Sample

SSE = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\nx-request-id: req_1\r\n\r\n"
TOKEN = b'data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}\n\n'
STOP = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
DONE = b"data: [DONE]\n\n"
LIMITED = b'{"error":{"message":"Rate limit reached","type":"requests","code":"rate_limit_exceeded"}}'

Write = Callable[[bytes], None]


def chunked(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def plain(status: bytes, body: bytes, *headers: bytes) -> bytes:
    lines = (b"HTTP/1.1 " + status, b"content-type: application/json", *headers, b"content-length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


@contextmanager
def server(*scripts: Callable[[Write], None], tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Answers the n-th request on its one connection by the n-th script, then closes; gives the base URL."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        try:
            connection, _ = listening.accept()
            with tls.wrap_socket(connection, server_side=True) if tls else connection as wire:
                wire.settimeout(10)
                for script in scripts:
                    asked = b""
                    while b"\r\n\r\n" not in asked or not asked.endswith(b"}"):
                        got = wire.recv(65536)
                        if not got:
                            return
                        asked += got
                    script(wire.sendall)
        except OSError:
            return  # the client went away: some tests are about that

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://localhost:{listening.getsockname()[1]}/v1"
    finally:
        listening.close()
        thread.join(10)


def send(
    base_url: str, *, times: int = 1, kept: list[Keepsake] | None = None, patience: Patience | None = None
) -> list[Sample]:
    sender = Sender(Destination(base_url, "sk-secret"), patience or Patience(), 4, time.monotonic())
    prepared = ready(Item(max_tokens=9), "m", "0/hold/0")
    samples = []
    for number in range(times):
        one = Sample(0, "hold", number, prepared.kind, sender.now(), prepared.tokens_charged, 9)
        one.t_release = one.t_sched
        sender.send(prepared, one, None if kept is None else kept.append)
        samples.append(one)
    sender.close()
    return samples


def says(*parts: bytes) -> Callable[[Write], None]:
    def script(write: Write) -> None:
        for part in parts:
            write(part)

    return script


def test_a_stream_split_anywhere_is_read_token_by_token() -> None:
    whole = SSE + chunked(TOKEN[:30]) + chunked(TOKEN[30:] + TOKEN) + chunked(STOP + DONE) + b"0\r\n\r\n"
    with server(says(whole[:100], whole[100:250], whole[250:])) as url:
        (got,) = send(url)
    assert (got.outcome, got.events, got.finish, got.request_id) == ("ok", 2, "stop", "req_1")
    assert got.disorder == ""
    assert (got.tokens_out, got.tokens_source) == (2, "events")


def test_a_token_is_seen_when_it_comes_and_not_when_a_block_is_full() -> None:
    seen = threading.Event()

    def script(write: Write) -> None:
        write(SSE + chunked(TOKEN))
        seen.wait(0.2)  # nobody sets it: the second token comes 0.2 s after the first
        write(chunked(TOKEN) + chunked(STOP + DONE) + b"0\r\n\r\n")

    with server(script) as url:
        (got,) = send(url)
    assert got.gaps_ms == [pytest.approx(200, abs=60)]
    assert got.ttft_ms is not None and got.ttft_ms < 100


def test_a_connection_is_used_again_and_only_the_first_pays_for_it() -> None:
    answer = plain(b"200 OK", b'{"choices":[{"message":{"content":"x"},"finish_reason":"stop"}],"usage":{}}')
    with server(says(answer), says(answer)) as url:
        first, second = send(url, times=2)
    assert (first.outcome, second.outcome) == ("ok", "ok")
    assert first.connect_ms is not None
    assert second.connect_ms is None


def test_a_refusal_keeps_its_headers_and_its_own_class() -> None:
    with server(
        says(plain(b"429 Too Many Requests", LIMITED, b"Retry-After: 1", b"x-ratelimit-limit-requests: 3"))
    ) as url:
        (got,) = send(url)
    assert (got.outcome, got.status, got.is_admitted) == ("throttled_requests", 429, False)
    assert got.limits == {"retry-after": "1", "x-ratelimit-limit-requests": "3"}


@pytest.mark.parametrize(
    ("parts", "outcome"),
    [
        ((SSE, chunked(TOKEN)), "stream_cut"),
        ((SSE, chunked(TOKEN), b"0\r\n\r\n"), "stream_cut"),
        ((SSE, chunked(b'data: {"error": {"message": "boom"}}\n\n'), b"0\r\n\r\n"), "stream_error"),
        ((SSE, chunked(b"data: {oops\n\n"), chunked(DONE), b"0\r\n\r\n"), "protocol"),
        ((SSE, chunked(STOP + DONE), b"0\r\n\r\n"), "ok_empty"),
        ((plain(b"200 OK", b"[1]"),), "protocol"),
        ((plain(b"500 Oops", b"<html>"),), "http_5xx"),
        ((b"",), "connect"),
    ],
)
def test_every_broken_answer_has_its_class(parts: tuple[bytes, ...], outcome: str) -> None:
    with server(says(*parts)) as url:
        (got,) = send(url)
    assert got.outcome == outcome
    assert got.t_end is not None


def test_nobody_there_is_connect() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
    (got,) = send(url)
    assert (got.outcome, got.t_send0, got.status) == ("connect", None, None)


@pytest.mark.parametrize(
    ("parts", "patience", "outcome"),
    [
        ((), Patience(first_token_s=0.1), "timeout_first_token"),
        ((SSE,), Patience(first_token_s=0.1), "timeout_first_token"),
        ((SSE, chunked(b": ping\n\n")), Patience(first_token_s=0.1), "timeout_first_token"),
        ((SSE, chunked(TOKEN)), Patience(gap_s=0.1), "timeout_gap"),
        ((SSE, chunked(TOKEN)), Patience(total_s=0.1), "timeout_total"),
    ],
)
def test_silence_ends_by_the_patience_it_tries(parts: tuple[bytes, ...], patience: Patience, outcome: str) -> None:
    released = threading.Event()

    def script(write: Write) -> None:
        for part in parts:
            write(part)
        released.wait(5)

    with server(script) as url:
        (got,) = send(url, patience=patience)
        released.set()
    assert got.outcome == outcome


def test_an_exchange_is_kept_as_it_was_and_without_the_key() -> None:
    kept: list[Keepsake] = []
    with server(says(SSE + chunked(TOKEN) + chunked(STOP + DONE) + b"0\r\n\r\n")) as url:
        send(url, kept=kept)
    (one,) = kept
    assert one.whole
    assert b"".join(data for _, data in one.chunks) == TOKEN + STOP + DONE
    assert "sk-secret" not in one.line()


@pytest.mark.skipif(not HAS_KERNEL_TIME, reason="SO_TIMESTAMPNS is Linux's")
def test_what_the_kernel_received_early_is_dated_early_however_late_it_is_read() -> None:
    answer = plain(b"200 OK", b'{"data":[1]}')
    sender: Sender
    with server(says(answer)) as url:
        sender = Sender(Destination(url, None), Patience(), 1, time.monotonic())
        sock = sender._pool.get_socket()
        sock.sendall(b"POST / HTTP/1.1\r\n\r\n{}")
        threading.Event().wait(0.15)  # the answer is there long before it is read
        before, _ = both_clocks()
        assert sock.recv(65536) == answer
        assert before - sock.received_s > 0.1
        assert sender.stamps.clock == "kernel"
        assert sender.stamps.lags.told()["max"] > 100
        sender.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and certificate for localhost in one file, signed by itself."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs openssl to make a certificate")
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    made = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    made += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", "-", "-out", "-"]
    path.write_bytes(subprocess.run(made, check=True, capture_output=True).stdout)
    return path


def test_a_certificate_that_nobody_vouches_for_is_refused(certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with server(says(plain(b"200 OK", b"{}")), tls=context) as url:
        (got,) = send(url)
    assert got.outcome == "tls"
    assert "certificate verify failed" in got.detail


def test_a_stream_over_tls_has_kernel_time_too(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with server(says(SSE, chunked(TOKEN), chunked(TOKEN), chunked(STOP + DONE) + b"0\r\n\r\n"), tls=context) as url:
        (got,) = send(url)
    assert (got.outcome, got.events, got.disorder) == ("ok", 2, "")
    assert got.connect_ms is not None
