"""Talks on WebSockets, recorded: what is said and heard, what is waited for in vain, how it closes, what it costs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from wireproof.clause import REALTIME_MODEL, Clause, Exchange, Probe, Say, Socket, Talk, sent, talk
from wireproof.fetch import Bounds, KeyRefused, Target
from wireproof.journal import Journal, as_json, from_json, read_journal
from wireproof.outline import outline
from wireproof.plan import Budget, Models, make_plan
from wireproof.record import Recorded, RecordEvent, Sent, Unsent, record
from wireproof.report import curl
from wireproof.secrets import MARKER
from wireproof.spec import load_spec
from wireproof.standin.sockets import LOST, taken
from wireproof.standin.virtual import VirtualClock, VirtualTransport
from wireproof.standin.wire import Answer, Ask, Serve, refusal

KEY = "sk-looks-fake-0123456789"


class Parrot:
    """Says `hello`, then `heard` of whatever it hears, `after_s` later; as JSON objects."""

    def __init__(self, clock: VirtualClock, after_s: float = 0.0) -> None:
        self.closing: tuple[int, str] | None = None
        self.clock, self.after_s = clock, after_s
        self.due: list[tuple[float, str]] = [(clock(), '{"type": "hello"}')]

    @property
    def next_s(self) -> float:
        return min([due for due, _ in self.due], default=self.clock() + 3600)

    def hear(self, text: str | bytes) -> None:
        told = text if isinstance(text, str) else text.decode()
        if told == "bye":
            self.closing = (1001, f"going away, {KEY}")
        elif told == "drop":
            self.closing = (LOST, "")
        else:
            self.due.append((self.clock() + self.after_s, json.dumps({"type": "heard", "it": told})))

    def take(self) -> list[str]:
        found = [text for due, text in self.due if due <= self.clock()]
        self.due = [(due, text) for due, text in self.due if due > self.clock()]
        return found


def hearing(run: Callable[[], Talk], **options: Any) -> Probe:
    options = {"query": {"model": REALTIME_MODEL}, **options}
    return talk("made", "/realtime", about="a test", needs=REALTIME_MODEL, **options)(run)


def told_by(
    probe: Probe, *, serve: Serve | None = None, after_s: float = 0.0, price: str = "gpt-realtime-1.5", **options: Any
) -> tuple[list[RecordEvent], VirtualTransport]:
    clock = VirtualClock()
    transport = VirtualTransport(serve or (lambda ask: taken(Parrot(clock, after_s), ask)), clock)
    everything = Clause("test", "MUST", "All.", "SPEC", sent(), "none", lambda exchange: None)
    plan = make_plan(load_spec(), [everything], [probe], Models(others={"realtime": price}))
    told: list[RecordEvent] = []
    asyncio.run(
        record(
            plan,
            Target("http://standin/v1", KEY),
            load_spec(),
            told.append,
            transport=transport,
            dial=transport.dial,
            clock=clock,
            wall=clock,
            sleep=clock.sleep,
            **options,
        )
    )
    return told, transport


def exchange_of(probe: Probe, **options: Any) -> Exchange:
    return next(event.exchange for event in told_by(probe, **options)[0] if isinstance(event, Recorded))


def socket_of(probe: Probe, **options: Any) -> Socket:
    socket = exchange_of(probe, **options).socket
    assert socket is not None
    return socket


def two_words() -> Talk:
    yield Say(None, until=("hello",))
    heard = yield Say({"type": "one", "model": REALTIME_MODEL}, until=("heard",))
    yield Say(json.dumps(heard[0]["type"]), until=("heard", "never"))


def test_both_sides_are_recorded_in_their_order_and_placeholders_filled_in() -> None:
    exchange = exchange_of(hearing(two_words), after_s=0.25)
    assert (exchange.status, exchange.operation, exchange.trouble) == (101, "connectRealtime", None)
    assert exchange.socket is not None and exchange.request.query == {"model": "gpt-realtime-1.5"}
    told = [(round(one.at_s, 2), one.ours, json.loads(one.data)) for one in exchange.socket.messages]
    assert told[:2] == [(0.0, False, {"type": "hello"}), (0.0, True, {"type": "one", "model": "gpt-realtime-1.5"})]
    assert [(at, ours) for at, ours, _ in told[2:]] == [(0.25, False), (0.25, True), (0.5, False)]
    assert (exchange.socket.closed_by, exchange.socket.code, exchange.socket.unheard) == ("client", 1000, ())


def test_what_never_comes_is_told_and_the_talk_goes_on() -> None:
    def waits() -> Talk:
        yield Say("x", until=("never",), within_s=3.0)
        yield Say("y", until=("heard",))

    socket = socket_of(hearing(waits))
    assert [(one.types, one.messages, round(one.waited_s, 2)) for one in socket.unheard] == [(("never",), 3, 3.0)]
    assert socket.messages[-1].data == b'{"type": "heard", "it": "y"}'


def test_listening_for_nothing_lasts_as_long_as_it_says() -> None:
    def listens() -> Talk:
        assert [one["type"] for one in (yield Say("x", within_s=2.0))] == ["hello", "heard"]

    exchange = exchange_of(hearing(listens), after_s=1.0)
    assert round(exchange.ended_at_s, 2) == 2.0 and exchange.socket is not None and not exchange.socket.unheard


@pytest.mark.parametrize(
    ("word", "by", "code", "kind"), [("bye", "server", 1001, None), ("drop", None, None, "truncated")]
)
def test_a_server_that_leaves(word: str, by: str | None, code: int | None, kind: str | None) -> None:
    def leaves() -> Talk:
        yield Say(word, until=("heard",))
        raise AssertionError("nobody is there to be told")

    def patient() -> Talk:
        yield Say(word, until=("heard",))

    exchange = exchange_of(hearing(patient))
    assert exchange.socket is not None
    assert (exchange.socket.closed_by, exchange.socket.code) == (by, code)
    assert (exchange.trouble and exchange.trouble.kind) == kind
    assert exchange.socket.unheard[0].types == ("heard",)
    assert isinstance(told_by(hearing(leaves))[0][-1], Unsent)


def test_a_talk_that_fails_is_our_fault_and_closes_the_socket() -> None:
    def fails() -> Talk:
        yield Say(None, until=("hello",))
        raise KeyError("item")

    told, _ = told_by(hearing(fails))
    assert isinstance(told[-1], Unsent) and "KeyError" in told[-1].reason


def test_too_much_is_cut() -> None:
    def long() -> Talk:
        for _ in range(50):
            yield Say("x", until=("heard",))

    exchange = exchange_of(hearing(long), bounds=Bounds(most_messages=20))
    assert exchange.trouble is not None and exchange.trouble.kind == "endless"
    exchange = exchange_of(hearing(long), bounds=Bounds(most_bytes=200))
    assert exchange.trouble is not None and exchange.trouble.kind == "oversized"
    exchange = exchange_of(hearing(long), bounds=Bounds(total_s=5), after_s=1.0)
    assert exchange.trouble is None and round(exchange.ended_at_s) == 5


def test_a_refused_handshake_is_an_exchange_like_any_other() -> None:
    exchange = exchange_of(hearing(two_words), serve=lambda ask: refusal(404, "No such model."))
    assert (exchange.status, exchange.socket) == (404, None)
    assert exchange.json["error"]["message"] == "No such model."
    with pytest.raises(KeyRefused):
        told_by(hearing(two_words), serve=lambda ask: refusal(401, "No."))
    assert exchange_of(hearing(two_words), serve=lambda ask: refusal(403, "No.")).status == 403


def test_a_refusal_that_asks_for_patience_is_asked_again() -> None:
    answers = [refusal(429, "Later.").with_header("retry-after", "2")]
    clock = VirtualClock()

    def serve(ask: Ask) -> Answer:
        return answers.pop() if answers else taken(Parrot(clock), ask)

    told = [event for event in told_by(hearing(two_words), serve=serve)[0] if isinstance(event, Recorded)]
    assert [(one.exchange.status, one.exchange.attempt) for one in told] == [(429, 1), (101, 2)]


def test_the_key_goes_as_a_header_or_a_protocol_and_is_in_nothing_that_is_kept() -> None:
    def says_it() -> Talk:
        yield Say(f"my {KEY}", until=("heard",))
        yield Say("bye", until=("heard",))

    as_protocol = {"auth": "protocol", "protocols": ("realtime",), "key_protocol": "insecure."}
    for options in ({}, as_protocol):
        told, transport = told_by(hearing(says_it, **options))
        assert transport.seen[0].header("authorization") in (f"Bearer {KEY}", None)
        exchange = next(event.exchange for event in told if isinstance(event, Recorded))
        assert KEY not in json.dumps(as_json(exchange)) and MARKER in json.dumps(as_json(exchange))
        names = dict(exchange.request.headers)
        assert names["upgrade"] == "websocket" and ("authorization" in names) == (not options)
        assert exchange.socket is not None and exchange.socket.protocol == ("realtime" if options else None)
    assert transport.seen[0].header("sec-websocket-protocol") == f"realtime, insecure.{KEY}"


def test_a_budget_counts_what_a_talk_weighs() -> None:
    probe = hearing(two_words, weighs=(1000, 500))
    assert isinstance(told_by(probe, budget=Budget(tokens=1499))[0][-1], Unsent)
    assert isinstance(told_by(probe, budget=Budget(usd=0.001))[0][-1], Unsent)
    told, _ = told_by(probe, budget=Budget(tokens=1500, usd=0.1))
    assert isinstance(told[-1], Recorded) and told[-1].spent.tokens == 0


def test_a_resumed_run_says_nothing_twice() -> None:
    told, _ = told_by(hearing(two_words))
    first = next(event.exchange for event in told if isinstance(event, Recorded))
    again, transport = told_by(hearing(two_words), already={("made", 0): first})
    assert [event for event in again if isinstance(event, Sent)] == [] and transport.seen == []


def test_the_journal_keeps_what_was_said(tmp_path: Path) -> None:
    def mixed() -> Talk:
        yield Say(b"\x00\xff", until=("never",), within_s=0.1)
        yield Say("bye", until=("never",))

    exchange = exchange_of(hearing(two_words))
    socket = exchange.socket
    assert socket is not None
    binary = replace(socket.messages[0], data=b"\x00\xff", is_text=False)
    text = replace(socket.messages[0], data=b'{"a": 1}', is_text=True)
    kept = replace(exchange, socket=replace(socket, messages=(binary, text)))
    assert from_json(json.loads(json.dumps(as_json(kept)))) == kept
    with Journal(tmp_path / "journal.jsonl") as journal:
        journal.header({"target": {"base_url": "http://x/v1"}, "started": "2026-11-26"}, [])
        journal.sent("made", 0, 1)
        journal.exchange(exchange)
    assert read_journal(tmp_path / "journal.jsonl").exchanges[0].socket is not None


def test_an_outline_tells_what_the_server_said_by_its_types() -> None:
    found = outline(exchange_of(hearing(two_words)), load_spec().catalogue("outline"))
    assert found["events"] == "hello > heard" and found["closed"] == "by client, 1000"
    assert found["/{heard}/it"] == "string"


def test_a_talk_is_said_again_by_websocat() -> None:
    line = curl(exchange_of(hearing(two_words)), "https://host/v1")
    assert line.startswith('printf \'%s\\n\' \'{"type": "one"') and "wss://host/v1/realtime?model=" in line
    assert '-H "authorization: Bearer $OPENAI_API_KEY"' in line
