"""HTTP/1.1 without a socket: bytes in, writes out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from itertools import count
from typing import Any

import pytest
from standin.asking import CHAT, ask, backend, user
from standin.talking import GET, POST, Wire, head_of, is_over, talk

from wireproof.standin.connection import (
    IDLE_S,
    LINGER_S,
    MOST_FORM_BYTES,
    MOST_HEAD_BYTES,
    MOST_JSON_BYTES,
    SLOW_HEAD_S,
    STALLED_S,
    Connection,
)
from wireproof.standin.floor import Floor
from wireproof.standin.truth import Truth, telling
from wireproof.standin.wire import DONE, Answer, Ask, Frame, event_frame, json_answer


def endless() -> Iterable[Frame]:
    return (Frame(0.0, b"again") for _ in count())


def test_a_request_arrives_whole_however_it_was_cut() -> None:
    raw = (
        b"POST /v1/x%2Fy?limit=2&metadata%5Ba%5D=b&empty= HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\n"
        + b'{"a": 1}'
    )
    heard: list[Ask] = []

    def serve(ask: Ask) -> Answer:
        heard.append(ask)
        return json_answer({})

    talk(serve, *(raw[at : at + 1] for at in range(len(raw))))
    talk(serve, raw)
    assert heard[0] == heard[1]
    assert (heard[0].method, heard[0].path, heard[0].json) == ("POST", "/v1/x%2Fy", {"a": 1})
    assert heard[0].query == (("limit", "2"), ("metadata[a]", "b"), ("empty", ""))
    assert heard[0].header("content-length") == "8"


def test_a_body_in_chunks_is_read_to_its_end() -> None:
    raw = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n3\r\nabc\r\n0\r\n\r\n"
    assert talk(lambda ask: json_answer(ask.body.decode()), raw).said.endswith(b'"{}abc"')


def test_a_plain_answer_is_one_write_with_its_length() -> None:
    wire = talk(json_answer({"a": 1}), GET)
    assert len(wire.writes) == 1
    assert "content-length: 7" in head_of(wire)
    assert "connection" not in head_of(wire)
    assert wire.said.endswith(b'\r\n\r\n{"a":1}')


def test_each_frame_is_a_write_of_its_own() -> None:
    wire = talk(Answer(frames=[Frame(0, b"one"), Frame(0, b""), Frame(0, b"two"), Frame(0, DONE)]), GET)
    assert "transfer-encoding: chunked" in head_of(wire)
    assert wire.writes[1:] == [b"3\r\none\r\n", b"3\r\ntwo\r\n", b"e\r\n" + DONE + b"\r\n", b"0\r\n\r\n"]


def test_answers_keep_the_order_of_requests() -> None:
    def serve(ask: Ask) -> Answer:
        return Answer(frames=[Frame(1.0, b"slow")]) if ask.path == "/1" else Answer(body=ask.path.encode())

    asked = b"".join(b"GET /%d HTTP/1.1\r\nhost: x\r\n\r\n" % number for number in (1, 2, 3))

    def both_are_out(wire: Wire) -> bool:
        return wire.said.endswith(b"/3")

    said = talk(serve, asked, until=both_are_out).said
    assert said.index(b"slow") < said.index(b"\r\n/2") < said.index(b"\r\n/3")


def test_who_pipelines_without_end_is_heard_no_more_for_a_while() -> None:
    wire = talk(Answer(frames=[Frame(60_000.0, b"")]), GET * 40)
    assert wire.is_reading_paused


@pytest.mark.parametrize(
    ("raw", "closes"),
    [(GET, False), (b"GET / HTTP/1.1\r\nconnection: close\r\n\r\n", True), (b"GET / HTTP/1.0\r\n\r\n", True)],
)
def test_the_connection_stays_as_long_as_its_client_wants(raw: bytes, closes: bool) -> None:
    wire = talk(json_answer({}), raw)
    assert wire.is_closed is closes
    assert ("connection: close" in head_of(wire)) is closes


def test_http_1_0_has_no_chunks() -> None:
    wire = talk(Answer(frames=[Frame(0, b"one"), Frame(0, b"two")]), b"GET / HTTP/1.0\r\n\r\n")
    assert wire.said.endswith(b"\r\n\r\nonetwo")
    assert wire.is_closed


def test_head_and_204_have_no_body() -> None:
    assert talk(json_answer({"a": 1}), b"HEAD / HTTP/1.1\r\nhost: x\r\n\r\n").said.endswith(
        b"content-length: 7\r\n\r\n"
    )
    nothing = talk(Answer(204), GET)
    assert nothing.said.endswith(b"\r\n\r\n")
    assert "content-length" not in head_of(nothing)


def test_a_cut_answer_has_no_end() -> None:
    streamed = talk(Answer(frames=[Frame(0, b"one")], cut=True), GET)
    assert streamed.writes[1:] == [b"3\r\none\r\n"]
    assert streamed.is_closed
    plain = talk(Answer(body=b'{"a"', cut=True), GET)
    assert plain.said.endswith(b'4\r\n{"a"\r\n')
    assert plain.is_closed


def test_a_length_that_lies_closes_the_connection() -> None:
    wire = talk(Answer(200, (("content-length", "9"),), b"four"), GET)
    assert wire.said.endswith(b"content-length: 9\r\nconnection: close\r\n\r\nfour")
    assert wire.is_closed


def test_a_header_cannot_break_out_of_its_line() -> None:
    head = head_of(talk(json_answer({}).with_header("x-name", "a\r\nset-cookie: b"), GET))
    assert "x-name: a  set-cookie: b" in head.splitlines()


def test_a_client_that_waits_for_permission_to_send_gets_it() -> None:
    wire = talk(
        json_answer({}), POST + b"2\r\nexpect: 100-continue\r\n\r\n", then=lambda guest, _: guest.data_received(b"{}")
    )
    assert wire.writes[0] == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert wire.writes[1].startswith(b"HTTP/1.1 200 OK\r\n")


def test_an_endless_stream_ends_when_its_client_leaves() -> None:
    truth = Truth()
    wire = talk(Answer(frames=endless()), GET, then=lambda guest, _: guest.connection_lost(None), books=[truth])
    assert 10 < len(wire.writes) < 2000
    counts = truth.report()["counts"]
    assert (counts["unfinished"], counts["running"]) == (1, 0)


def test_frames_wait_for_a_slow_reader() -> None:
    written: list[int] = []

    class Full(Wire):
        """Has no room after the fifth write."""

        def write(self, data: Any) -> None:
            super().write(data)
            if len(self.writes) == 5:
                self.guest.pause_writing()

    def reads_again(guest: Connection, wire: Wire) -> None:
        written.append(len(wire.writes))
        guest.resume_writing()

    frames = [Frame(0, b"%d" % number) for number in range(40)]
    wire = talk(Answer(frames=frames), GET, then=reads_again, on=Full())
    assert written == [5]
    assert is_over(wire)


def test_a_late_write_does_not_delay_the_next() -> None:
    truth = Truth()
    talk(Answer(frames=[event_frame({"content": "x"}, 4.0) for _ in range(25)]), GET, until=is_over, books=[truth])
    (row,) = truth.report()["requests"]
    assert 100 <= row["ttft_ms"] + sum(row["itl_ms"]) < 150


def test_no_write_is_early() -> None:
    truth = Truth()
    talk(Answer(frames=[event_frame({"content": "x"}, 1.3) for _ in range(20)]), GET, until=is_over, books=[truth])
    assert all(late >= 0 for timing in truth.timings for late in timing.late_s)


def test_many_requests_at_once_do_not_hold_up_a_frame() -> None:
    """Between two requests the loop has a turn for what is due."""
    order: list[str] = []

    async def spoken() -> None:
        def serve(ask: Ask) -> Answer:
            order.append("request")
            return json_answer({})

        loop = asyncio.get_running_loop()
        floor = Floor(serve, loop)
        for _ in range(3):
            guest = Connection(floor)
            guest.connection_made(Wire())
            guest.data_received(GET)
        for _ in range(4):
            await asyncio.sleep(0)
            order.append("turn")
        floor.close()

    asyncio.run(spoken())
    assert order == ["request", "turn", "request", "turn", "request", "turn", "turn"]


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"what is this\r\n\r\n", 400),
        (POST + b"%d\r\n\r\n" % (MOST_JSON_BYTES + 1), 413),
        (POST + b"%d\r\ncontent-type: multipart/form-data\r\n\r\n" % (MOST_FORM_BYTES + 1), 413),
        (b"GET / HTTP/1.1\r\nx: " + b"x" * MOST_HEAD_BYTES, 431),
        (b"GET / HTTP/1.1\r\nx: " + b"x" * MOST_HEAD_BYTES + b"\r\n\r\n", 431),
    ],
    ids=["no HTTP", "a large body", "a large form", "a head without end", "a large head"],
)
def test_what_cannot_be_read_is_refused_and_heard_no_more(raw: bytes, status: int) -> None:
    asked: list[Ask] = []

    def serve(ask: Ask) -> Answer:
        asked.append(ask)
        return json_answer({})

    wire = talk(serve, raw, then=lambda guest, _: guest.data_received(GET))
    assert wire.said.startswith(b"HTTP/1.1 %d " % status)
    assert b'"type":"invalid_request_error"' in wire.said
    assert "connection: close" in head_of(wire)
    assert wire.has_said_all
    assert not asked


def test_a_body_that_grows_too_large_is_refused_before_its_end() -> None:
    head = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
    piece = b"%x\r\n%b\r\n" % (1 << 20, bytes(1 << 20))
    pieces = [piece] * (MOST_JSON_BYTES // (1 << 20) + 1)
    wire = talk(json_answer({}), head, *pieces)
    assert wire.said.startswith(b"HTTP/1.1 413 ")
    assert b"at most 67,108,864 bytes" in wire.said


@pytest.mark.parametrize(
    ("said", "after_s", "status"),
    [(b"", IDLE_S, b""), (b"GET / HT", SLOW_HEAD_S, b"408"), (POST + b"9\r\n\r\n{", SLOW_HEAD_S, b"408")],
    ids=["idle", "half a head", "half a body"],
)
def test_who_keeps_us_waiting_is_let_go(said: bytes, after_s: float, status: bytes) -> None:
    def later(guest: Connection, wire: Wire) -> None:
        now_s = guest.since_s
        guest.check(now_s + after_s - 1)
        assert not wire.is_closed
        guest.check(now_s + after_s + 1)

    wire = talk(json_answer({}), *([said] if said else []), then=later)
    if status:
        assert wire.said.startswith(b"HTTP/1.1 " + status)
        assert wire.has_said_all
    else:
        assert wire.is_closed
        assert wire.said == b""


def test_a_refused_client_that_stays_is_hung_up_on() -> None:
    wire = talk(json_answer({}), b"nonsense\r\n\r\n", then=lambda guest, _: guest.check(guest.since_s + LINGER_S + 1))
    assert wire.is_aborted


def test_a_client_that_reads_nothing_for_long_is_hung_up_on() -> None:
    def stalls(guest: Connection, _wire: Wire) -> None:
        guest.pause_writing()
        guest.check(guest.since_s + STALLED_S + 1)

    assert talk(Answer(frames=endless()), GET, then=stalls).is_aborted


def test_a_defect_of_ours_is_a_500_and_not_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    def serve(ask: Ask) -> Answer:
        return json_answer({}) if ask.path == "/good" else json_answer(ask.json["missing"])

    wire = talk(serve, GET + GET.replace(b"/v1/x", b"/good"))
    assert wire.said.startswith(b"HTTP/1.1 500 ")
    assert b"HTTP/1.1 200 OK" in wire.said
    assert "TypeError" in capsys.readouterr().err


def test_a_defect_in_the_middle_of_a_stream_ends_it(capsys: pytest.CaptureFixture[str]) -> None:
    truth = Truth()
    frames = (Frame(0, b"%d" % (10 // left)) for left in (2, 1, 0))
    wire = talk(Answer(frames=frames), GET, books=[truth])
    assert wire.writes[1:] == [b"1\r\n5\r\n", b"2\r\n10\r\n"]
    assert wire.is_aborted
    assert truth.report()["counts"]["unfinished"] == 1
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_truth_tells_tokens_from_other_frames() -> None:
    truth = Truth()
    body = {"model": CHAT, "messages": user("Repeat exactly: a b c"), "stream": True}
    asked = ask("POST", "/chat/completions", {**body, "stream_options": {"include_usage": True}})
    raw = b"POST /v1/chat/completions HTTP/1.1\r\n"
    raw += b"".join(f"{name}: {value}\r\n".encode() for name, value in asked.headers)
    talk(backend().answer, raw + b"content-length: %d\r\n\r\n" % len(asked.body) + asked.body, books=[truth])
    report = truth.report()
    (row,) = report["requests"]
    assert (row["tokens"], len(row["itl_ms"]), row["is_whole"], row["status"]) == (3, 2, True, 200)
    assert row["id"].startswith("req_")
    assert report["concurrent_max"] == 1
    assert report["counts"]["by_status"] == {"200": 1}
    assert report["itl_ms"]["n"] == 2


def test_truth_is_told_and_forgotten_over_http() -> None:
    truth = Truth()
    forgotten: list[bool] = []
    serve = telling(lambda _ask: json_answer({}), truth, lambda: forgotten.append(True))
    talk(serve, GET, books=[truth])
    assert b'"requests":1' in talk(serve, GET.replace(b"/v1/x", b"/_standin/truth")).said
    talk(serve, b"POST /_standin/reset HTTP/1.1\r\ncontent-length: 0\r\n\r\n")
    assert truth.report()["counts"]["requests"] == 0
    assert forgotten == [True]


def test_without_truth_there_is_no_such_route() -> None:
    assert talk(backend().answer, GET.replace(b"/v1/x", b"/_standin/truth")).said.startswith(b"HTTP/1.1 401 ")
