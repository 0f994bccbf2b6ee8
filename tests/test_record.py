"""The recorder: patience, budget, resume, redaction. Its transport is given, its clock never waits."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from wireproof.clause import MODEL, NO_MODEL, Call, Exchange, Flow, Probe, flow, form, probe
from wireproof.fetch import Bounds, KeyRefused, Target, Unreachable
from wireproof.plan import Budget, Models, make_plan
from wireproof.record import Recorded, RecordEvent, Sent, Unsent, Waiting, record
from wireproof.secrets import MARKER
from wireproof.spec import load_spec
from wireproof.standin.virtual import VirtualClock, VirtualTransport
from wireproof.standin.wire import Answer, Ask, Frame, Serve, json_answer, refusal

KEY = "sk-looks-fake-0123456789"
HELLO = [{"role": "user", "content": "Hello"}]
USAGE = {"prompt_tokens": 8, "completion_tokens": 2, "total_tokens": 10}


def chat(id: str, **fields: Any) -> Probe:
    body = {"model": MODEL, "messages": HELLO, "max_tokens": 4, **fields}
    return probe(id, "POST", "/chat/completions", body, about="a test")


def recorded(
    serve: Serve, *probes: Probe, key: str | None = KEY, clock: VirtualClock | None = None, **options: Any
) -> tuple[list[RecordEvent], VirtualTransport]:
    """Everything the recorder told, and the transport with what it saw."""
    from wireproof.clause import Clause, sent

    clock = clock or VirtualClock()
    transport = VirtualTransport(serve, clock)
    everything = Clause("test", "MUST", "All.", "SPEC", sent(), "none", lambda exchange: None)
    plan = make_plan(load_spec(), [everything], probes, Models("gpt-4.1-mini"), has_key=bool(key))
    told: list[RecordEvent] = []
    target = Target("http://standin/v1", key)
    asyncio.run(
        record(
            plan,
            target,
            load_spec(),
            told.append,
            transport=transport,
            clock=clock,
            wall=clock,
            sleep=clock.sleep,
            **options,
        )
    )
    return told, transport


def exchanges(told: list[RecordEvent]) -> list[Exchange]:
    return [event.exchange for event in told if isinstance(event, Recorded)]


def ok(ask: Ask) -> Answer:
    return json_answer({"usage": USAGE})


def test_an_exchange_keeps_headers_in_order_with_duplicates_and_chunks_with_their_times() -> None:
    def serve(ask: Ask) -> Answer:
        headers = (("Content-Type", "text/event-stream"), ("X-Twice", "1"), ("A", "b"), ("X-Twice", "2"))
        return Answer(200, headers, frames=[Frame(20, b"data: 1\n\n"), Frame(5, b"data: 2\n\n")])

    told, _ = recorded(serve, chat("a", stream=True))
    [exchange] = exchanges(told)
    assert [name for name, _ in exchange.headers] == ["Content-Type", "X-Twice", "A", "X-Twice"]
    assert exchange.headers_named("x-twice") == ["1", "2"]
    assert [(round(c.at_s, 6), c.data) for c in exchange.chunks] == [(0.02, b"data: 1\n\n"), (0.025, b"data: 2\n\n")]
    assert exchange.operation == "createChatCompletion"


def test_a_429_is_waited_out_as_long_as_retry_after_says_and_both_attempts_are_kept() -> None:
    clock = VirtualClock()
    seen: list[float] = []

    def serve(ask: Ask) -> Answer:
        seen.append(clock.now)
        if len(seen) == 1:
            return refusal(429, "slow down", code="rate_limit_exceeded").with_header("retry-after", "7")
        return ok(ask)

    told, _ = recorded(serve, chat("a"), clock=clock)
    assert seen == [0.0, 7.0]
    assert [(e.status, e.attempt) for e in exchanges(told)] == [(429, 1), (200, 2)]
    assert [event.seconds for event in told if isinstance(event, Waiting)] == [7.0]


def test_a_wait_longer_than_a_minutes_window_is_not_slept_through() -> None:
    told, transport = recorded(lambda ask: refusal(429, "tomorrow").with_header("retry-after", "86400"), chat("a"))
    assert len(transport.seen) == 1
    assert [e.status for e in exchanges(told)] == [429]


@pytest.mark.parametrize("date", ["Mon, 01 Jan 99999999999 00:00:00 GMT", "Mon, 99 Jan 2026 99:99:99 GMT", "soon"])
def test_a_retry_after_that_is_no_date_is_not_obeyed(date: str) -> None:
    told, _ = recorded(lambda ask: refusal(503, "later").with_header("retry-after", date), chat("a"))
    assert [e.status for e in exchanges(told)] == [503]


@pytest.mark.parametrize(
    ("budget", "sent"), [(Budget(calls=2), 2), (Budget(tokens=29), 2), (Budget(usd=0.0), 0), (Budget(), 4)]
)
def test_the_run_stops_before_the_request_that_would_break_the_budget(budget: Budget, sent: int) -> None:
    told, transport = recorded(ok, *(chat(name) for name in "abcd"), budget=budget)
    assert len(transport.seen) == sent
    given_up = [event for event in told if isinstance(event, Unsent)]
    assert len(given_up) == 4 - sent
    assert all("budget" in event.reason for event in given_up)


@pytest.mark.parametrize("tokens", ["-1000000", "1" + "0" * 400, "1e400", "true", '"many"', "[" * 100_000])
@pytest.mark.parametrize("streamed", [False, True])
def test_usage_that_is_no_count_costs_what_was_estimated(tokens: str, streamed: bool) -> None:
    body = f'{{"usage": {{"prompt_tokens": {tokens}}}}}'.encode()

    def serve(ask: Ask) -> Answer:
        if streamed:
            return Answer(200, (("content-type", "text/event-stream"),), frames=[Frame(1, b"data: " + body + b"\n\n")])
        return Answer(200, (("content-type", "application/json"),), body)

    told, _ = recorded(serve, chat("a", stream=streamed))
    plan = make_plan(load_spec(), _any_clause(), [chat("a")], Models("gpt-4.1-mini"))
    assert [event.spent for event in told if isinstance(event, Recorded)] == [plan.cost]


def test_requests_in_flight_count_against_the_budget() -> None:
    """Eight at once with room for three: the estimates of those in flight are promised money."""
    told, transport = recorded(ok, *(chat(str(n)) for n in range(9)), budget=Budget(calls=3), gate=8)
    assert len(transport.seen) == 3
    assert sum(isinstance(event, Unsent) for event in told) == 6


def test_a_flow_asks_on_after_each_answer_and_never_more_than_it_declared() -> None:
    @flow("two", most=2, about="a test")
    def two() -> Flow:
        first = yield Call("GET", "/models")
        yield Call("GET", f"/models/{first.json['id']}")
        yield Call("GET", "/models/too-many")

    told, transport = recorded(lambda ask: json_answer({"id": "named"}), two)
    assert [ask.path for ask in transport.seen] == ["/v1/models", "/v1/models/named"]
    assert [(e.probe, e.step) for e in exchanges(told)] == [("two", 0), ("two", 1)]
    assert any(isinstance(event, Unsent) and "more than its 2" in event.reason for event in told)


@pytest.mark.parametrize(
    "body",
    [b"no JSON", b"[]", b'{"id": "\\ud800"}', b'{"id": "a\\nb"}', b'{"id": "' + b"a" * 70_000 + b'"}'],
    ids=["no JSON", "no id", "half a pair", "a line end", "too long"],
)
def test_an_answer_that_a_flow_cannot_go_on_with_ends_the_flow_and_not_the_run(body: bytes) -> None:
    @flow("two", most=2, about="a test")
    def two() -> Flow:
        first = yield Call("GET", "/models")
        yield Call("GET", f"/models/{first.json['id']}")

    told, _ = recorded(
        lambda ask: Answer(200, (("content-type", "application/json"),), body), chat("a"), two, chat("b")
    )
    assert [(e.probe, e.step) for e in exchanges(told)] == [("a", 0), ("two", 0), ("b", 0)]
    assert [event.probe for event in told if isinstance(event, Unsent)] == ["two"]
    assert not [event for event in told if isinstance(event, Sent) and (event.probe, event.step) == ("two", 1)]


def test_what_was_answered_is_not_sent_again() -> None:
    @flow("two", most=2, about="a test")
    def two() -> Flow:
        first = yield Call("GET", "/models")
        yield Call("GET", f"/models/{first.json['id']}")

    told, _ = recorded(lambda ask: json_answer({"id": "old"}), chat("a"), two)
    answers = {(e.probe, e.step): e for e in exchanges(told)}
    del answers["two", 1]
    told, transport = recorded(lambda ask: json_answer({"id": "new"}), chat("a"), two, already=answers)
    assert [ask.path for ask in transport.seen] == ["/v1/models/old"]
    assert [(event.probe, event.step) for event in told if isinstance(event, Sent)] == [("two", 1)]


def _echo_in_body(ask: Ask) -> Answer:
    return json_answer({"error": {"message": f"bad key {KEY}"}}, 400)


def _echo_in_header(ask: Ask) -> Answer:
    return ok(ask).with_header("x-debug", f"key={KEY}")


def _echo_across_chunks(ask: Ask) -> Answer:
    text = f"data: {KEY} and {KEY}\n\n".encode()
    return Answer(
        200,
        (("content-type", "text/event-stream"),),
        frames=[Frame(1, text[i : i + 5]) for i in range(0, len(text), 5)],
    )


def _echo_in_one_chunk_after_another(ask: Ask) -> Answer:
    text = f"{KEY}{KEY} {KEY}".encode()
    return Answer(200, (), frames=[Frame(1, text[i : i + 1]) for i in range(len(text))])


def _encoded(coding: str, body: bytes) -> Serve:
    headers = (("content-type", "application/json"), ("content-encoding", coding))
    return lambda ask: Answer(200, headers, body)


ECHOED = json.dumps(KEY).encode()


@pytest.mark.parametrize(
    "serve",
    [
        _echo_in_body,
        _echo_in_header,
        _echo_across_chunks,
        _echo_in_one_chunk_after_another,
        _encoded("gzip", gzip.compress(ECHOED)),
        _encoded("deflate", zlib.compress(ECHOED)),
        _encoded("identity", ECHOED),
    ],
)
def test_the_key_is_masked_wherever_the_target_echoes_it(serve: Serve) -> None:
    from wireproof.journal import as_json

    told, transport = recorded(serve, chat("a"))
    assert transport.seen[0].header("authorization") == f"Bearer {KEY}"
    [exchange] = exchanges(told)
    line = json.dumps(as_json(exchange))
    assert KEY not in line
    assert KEY.encode() not in exchange.body
    shown = exchange.body.decode() + str(exchange.headers)
    assert MARKER in shown


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip", "deflate"])
def test_the_key_is_masked_in_a_body_that_is_not_encoded_as_it_says(coding: str) -> None:
    told, _ = recorded(_encoded(coding, ECHOED), chat("a"))
    assert exchanges(told)[0].wire == f'"{MARKER}"'.encode()


def test_a_masked_stream_keeps_its_other_bytes_and_their_times() -> None:
    told, _ = recorded(_echo_across_chunks, chat("a"))
    [exchange] = exchanges(told)
    assert exchange.body.decode() == f"data: {MARKER} and {MARKER}\n\n"
    assert [chunk.at_s for chunk in exchange.chunks] == sorted({chunk.at_s for chunk in exchange.chunks})


@pytest.mark.parametrize(
    ("auth", "header"),
    [("none", None), ("wrong", "sk-wireproof-made-up"), ("cut", KEY[:-1]), ("extended", KEY + "x")],
)
def test_probes_of_keys_send_the_key_they_mean_and_record_none(auth: Any, header: str | None) -> None:
    knock = probe("auth", "GET", "/models", about="a test", auth=auth, expects="refusal")
    told, transport = recorded(ok, knock)
    got = transport.seen[0].header("authorization")
    assert (got is None) if header is None else (got is not None and got.startswith(f"Bearer {header}"))
    assert KEY[:-1] not in str(exchanges(told)[0].request.headers)


def test_without_a_key_probes_of_keys_are_left_out() -> None:
    knock = probe("auth", "GET", "/models", about="a test", auth="cut", expects="refusal")
    _, transport = recorded(ok, chat("a"), knock, key=None)
    assert [ask.path for ask in transport.seen] == ["/v1/chat/completions"]
    assert transport.seen[0].header("authorization") is None


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_ends_the_run_at_the_first_request(status: int) -> None:
    seen: list[Ask] = []

    def serve(ask: Ask) -> Answer:
        seen.append(ask)
        return refusal(status, "not you")

    with pytest.raises(KeyRefused, match="not you"):
        recorded(serve, chat("a"), chat("b"))
    assert len(seen) == 1


class _Refusing(httpx2.AsyncBaseTransport):
    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("connection refused")


def test_nobody_there_ends_the_run_at_once() -> None:
    plan = make_plan(load_spec(), _any_clause(), [chat("a")], Models("m"))
    with pytest.raises(Unreachable, match="standin:80 refused the connection"):
        asyncio.run(record(plan, Target("http://standin/v1"), load_spec(), lambda event: None, transport=_Refusing()))


def _any_clause() -> list[Any]:
    from wireproof.clause import Clause, sent

    return [Clause("test", "MUST", "All.", "SPEC", sent(), "none", lambda exchange: None)]


def _stream_of(frames: Callable[[], Any]) -> Serve:
    return lambda ask: Answer(200, (("content-type", "text/event-stream"),), frames=frames())


def _forever(delay_ms: float, data: bytes) -> Any:
    while True:
        yield Frame(delay_ms, data)


@pytest.mark.parametrize(
    ("serve", "kind"),
    [
        (_stream_of(lambda: _forever(0, b"x" * 65536)), "oversized"),
        (_stream_of(lambda: _forever(5000, b": ping\n\n")), "endless"),
        (lambda ask: Answer(200, (), b"half", cut=True), "truncated"),
    ],
)
def test_an_answer_that_does_not_end_is_cut_and_named(serve: Serve, kind: str) -> None:
    told, _ = recorded(serve, chat("a"), bounds=Bounds(total_s=60, most_bytes=1_000_000))
    [exchange] = exchanges(told)
    assert exchange.trouble is not None
    assert exchange.trouble.kind == kind
    assert len(exchange.wire) <= 64 * 1024


def test_a_redirect_within_the_target_is_followed_once_and_another_host_never() -> None:
    def move(place: str) -> Serve:
        def serve(ask: Ask) -> Answer:
            return ok(ask) if ask.path.endswith("/moved") else Answer(307, (("location", place),))

        return serve

    told, transport = recorded(move("/v1/moved"), chat("a"))
    assert [ask.path for ask in transport.seen] == ["/v1/chat/completions", "/v1/moved"]
    assert [e.status for e in exchanges(told)] == [200]
    for nowhere in ("http://[", ""):
        told, _ = recorded(move(nowhere), chat("a"))
        assert [e.trouble.kind for e in exchanges(told) if e.trouble] == ["redirect"]
    told, transport = recorded(move("http://elsewhere/v1/moved"), chat("a"))
    assert [ask.path for ask in transport.seen] == ["/v1/chat/completions"]
    [exchange] = exchanges(told)
    assert exchange.trouble is not None
    assert exchange.trouble.kind == "redirect"


@pytest.mark.parametrize("place", ["http://standin/files/1?sig=2", "https://store.example.com/files/1?sig=2"])
def test_a_url_that_an_answer_named_is_fetched_without_the_key(place: str) -> None:
    told, transport = recorded(ok, probe("a", "GET", place, about="a test", needs=NO_MODEL))
    [exchange] = exchanges(told)
    assert (exchange.status, exchange.operation, exchange.request.is_elsewhere) == (200, None, True)
    [ask] = transport.seen
    assert (ask.path, ask.header("authorization")) == ("/files/1", None)


@pytest.mark.parametrize(
    "place",
    [
        "http://other/files/1",
        "http://store.example.com/files/1",
        "https://169.254.169.254/files/1",
        "https://store.internal/files/1",
        "http://127.0.0.1/files/1",
        "file:///files/1",
        "http://[",
    ],
)
def test_a_url_that_may_lead_into_our_own_network_is_not_fetched(place: str) -> None:
    told, transport = recorded(ok, probe("a", "GET", place, about="a test", needs=NO_MODEL))
    [exchange] = exchanges(told)
    assert exchange.trouble is not None
    assert (exchange.status, exchange.trouble.kind, transport.seen) == (None, "elsewhere", [])


def test_spend_is_what_the_answers_report() -> None:
    told, _ = recorded(ok, chat("a"), chat("b"))
    spent = [event.spent for event in told if isinstance(event, Recorded)][-1]
    assert (spent.calls, spent.prompt_tokens, spent.completion_tokens) == (2, 16, 4)
    prices: Mapping[str, float] = load_spec().catalogue("models")["models"]["gpt-4.1-mini"]["usd_per_million"]
    assert spent.usd == pytest.approx((16 * prices["input"] + 4 * prices["output"]) / 1e6)


class _Dropping(VirtualTransport):
    """Loses the first `times` requests before an answer."""

    def __init__(self, times: int) -> None:
        super().__init__(ok, VirtualClock())
        self.times = times

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        answer = await super().handle_async_request(request)
        if len(self.seen) <= self.times:
            raise httpx2.RemoteProtocolError("Server disconnected without sending a response.")
        return answer


@pytest.mark.parametrize(("times", "kinds"), [(1, ["dropped", None]), (2, ["dropped", "truncated"])])
def test_a_lost_connection_is_blamed_on_the_target_only_when_a_new_one_is_lost_too(
    times: int, kinds: list[str | None]
) -> None:
    transport = _Dropping(times)
    plan = make_plan(load_spec(), _any_clause(), [chat("a")], Models("m"))
    told: list[RecordEvent] = []
    asyncio.run(record(plan, Target("http://standin/v1"), load_spec(), told.append, transport=transport))
    troubles = [exchange.trouble for exchange in exchanges(told)]
    assert [trouble and trouble.kind for trouble in troubles] == kinds
    assert [trouble.theirs for trouble in troubles if trouble] == [False, True][: len(kinds) - kinds.count(None)]


def test_a_wait_is_tried_by_one_request_while_the_others_stand_behind_it() -> None:
    """With eight at once, the retry of the refused one is answered before any other leaves."""
    order: list[str] = []

    def serve(ask: Ask) -> Answer:
        order.append((ask.header("x-client-request-id") or "").split("-", 2)[2])
        if len(order) == 2:
            return refusal(429, "slow down").with_header("retry-after", "2")
        return ok(ask)

    recorded(serve, *(chat(name) for name in "abcdef"), gate=8)
    assert order[:3] == ["a-0-1", "b-0-1", "b-0-2"]
    assert sorted(order[3:]) == ["c-0-1", "d-0-1", "e-0-1", "f-0-1"]


def test_a_field_that_the_model_refuses_by_name_is_left_out_or_renamed_from_then_on() -> None:
    def reasoning(ask: Ask) -> Answer:
        for name in ("max_tokens", "temperature"):
            if name in ask.asked:
                return refusal(400, f"Unsupported: {name}", param=name, code="unsupported_parameter")
        return ok(ask)

    wrong = probe(
        "wrong", "POST", "/chat/completions", {"max_tokens": 4, "temperature": 9}, about="x", expects="refusal"
    )
    told, _ = recorded(reasoning, chat("a", temperature=0), chat("b", temperature=0, n=2), wrong)
    assert [(e.id, e.status) for e in exchanges(told)] == [
        ("a", 400),
        ("a~2", 400),
        ("a~3", 200),
        ("b", 200),
        ("wrong", 400),
    ]
    sent = [sorted(set(e.request.asked) - {"model", "messages"}) for e in exchanges(told)]
    assert sent == [
        ["max_tokens", "temperature"],
        ["max_completion_tokens", "temperature"],
        ["max_completion_tokens"],
        ["max_completion_tokens", "n"],
        ["max_completion_tokens", "temperature"],
    ]


@pytest.mark.parametrize("field", ["messages", "nonsense", None])
def test_a_refusal_that_names_no_field_to_leave_out_is_an_answer_like_any_other(field: str | None) -> None:
    told, _ = recorded(lambda ask: refusal(400, "no", param=field, code="unsupported_parameter"), chat("a"))
    assert [e.id for e in exchanges(told)] == ["a"]


def test_a_form_is_sent_as_it_is_whatever_a_refusal_names() -> None:
    def unable(ask: Ask) -> Answer:
        return refusal(400, "not this format", param="response_format", code="unsupported_value")

    call = form("/audio/transcriptions", [("response_format", "srt")])
    asked = probe("a", "POST", call.path, call.body, headers=call.headers, about="x", needs=NO_MODEL)
    assert [(e.id, e.status) for e in exchanges(recorded(unable, asked)[0])] == [("a", 400)]


def test_what_needs_a_refused_field_goes_with_it() -> None:
    def without_logprobs(ask: Ask) -> Answer:
        if ask.asked.get("logprobs"):
            return refusal(400, "not here", param="logprobs", code="unsupported_parameter")
        return refusal(400, "logprobs must be true") if "top_logprobs" in ask.asked else ok(ask)

    told, _ = recorded(without_logprobs, chat("a", logprobs=True, top_logprobs=3))
    assert [e.status for e in exchanges(told)] == [400, 200]


def test_a_flow_waits_as_long_as_it_says_before_it_asks_again() -> None:
    clock = VirtualClock()
    at: list[float] = []

    def serve(ask: Ask) -> Answer:
        at.append(clock())
        return json_answer({})

    @flow("patient", most=2, about="a test")
    def patient() -> Flow:
        yield Call("POST", "/chat/completions", {"model": MODEL, "messages": HELLO})
        yield Call("GET", "/models", after_s=2.5)

    recorded(serve, patient, clock=clock)
    assert at[1] - at[0] == pytest.approx(2.5)


# ---------------------------------------------------------------------------------- models that think first


def thinking(tokens: int) -> Serve:
    """A model that says a word after so many tokens of thought, where its cap has room for it."""

    def serve(ask: Ask) -> Answer:
        body = ask.json
        if "max_tokens" in body:
            return refused_by_name("max_tokens")
        cap = body["max_completion_tokens"]
        return json_answer({"text": "hi" if cap > tokens else "", "usage": USAGE})

    return serve


def refused_by_name(field: str) -> Answer:
    return refusal(400, f"Unsupported parameter: '{field}'", param=field, code="unsupported_parameter")


def silent(exchange: Exchange) -> bool:
    return exchange.status == 200 and not exchange.json["text"]


def chat_to_see(id: str, **fields: Any) -> Probe:
    return replace(chat(id, **fields), ran_out=silent)


def caps(told: list[RecordEvent]) -> dict[str, int | None]:
    return {e.id: e.request.asked.get("max_completion_tokens") for e in exchanges(told)}


def test_a_model_that_thinks_is_given_room_once_for_all_probes_that_need_it() -> None:
    told, _ = recorded(thinking(300), chat("cut"), chat_to_see("one"), chat_to_see("two", max_tokens=9))
    assert caps(told) == {"cut": None, "cut~2": 4, "one": 4, "one~2": 260, "one~3": 516, "two": 521}


def test_a_model_that_speaks_at_once_costs_nothing_more() -> None:
    told, _ = recorded(thinking(0), chat_to_see("one"), chat_to_see("two"))
    assert caps(told) == {"one": None, "one~2": 4, "two": 4}


def test_a_model_that_never_speaks_is_asked_three_times_more_at_most() -> None:
    told, _ = recorded(thinking(9999), chat_to_see("one"), chat_to_see("two"))
    assert caps(told) == {"one": None, "one~2": 4, "one~3": 260, "one~4": 516, "one~5": 1028, "two": 1028}


def test_no_room_is_bought_beyond_the_budget() -> None:
    told, _ = recorded(thinking(300), chat_to_see("one"), budget=Budget(tokens=100))
    assert caps(told) == {"one": None, "one~2": 4}


def test_a_resumed_run_remembers_the_room() -> None:
    before, _ = recorded(thinking(300), chat_to_see("one"))
    already = {("one", 0): exchanges(before)[-1]}
    told, _ = recorded(thinking(300), chat_to_see("one"), chat_to_see("two"), already=already)
    assert [cap for cap in caps(told).values() if cap] == [516]
