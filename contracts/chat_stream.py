"""Streamed chat: what the chunks of an answer say, and in which order.

A stream is read as symbols (`role`, `content`, `finish`), each of one choice; every law of order is a small
automaton over them, a table at the top of this file. Framing and `[DONE]` are judged in sse.py, the usage of
streams in chat_stream_usage.py, the deltas of tool calls in chat_tools.py, the likeness to the plain answer
in chat_parity.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from wireproof.clause import (
    MODEL,
    Event,
    Exchange,
    Inconclusive,
    Machine,
    NotApplicable,
    Symbol,
    Undecodable,
    answered,
    clause,
    expect,
    load_spec,
    parse_json,
    probe,
    sequence,
    shown,
)

CHAT = "createChatCompletion"
STREAM = answered(CHAT, streamed=True)

# What a delta can bring besides its role. The last two are no part of the API, but widely sent.
INCREMENTS = ("content", "refusal", "tool_calls", "function_call", "audio", "reasoning_content", "reasoning")
FINISH_REASONS = ("stop", "length", "tool_calls", "content_filter", "function_call")

# ------------------------------------------------------------------------------------------- the automata

# Each choice says who speaks before it says anything.
ROLE_FIRST = Machine(
    "unheard",
    {
        "unheard": {"role assistant": "heard"},
        "heard": dict.fromkeys(("role assistant", "other role", "content", "finish"), "heard"),
    },
)
ROLE_ONCE = Machine(
    "unheard",
    {"unheard": dict.fromkeys(("role assistant", "other role"), "heard"), "heard": {}},
)
FINISHES = Machine(
    "open",
    {"open": {"content": "open", "finish": "finished"}, "finished": {"content": "finished", "finish": "finished"}},
    final=frozenset({"finished"}),
)
FINISHES_ONCE = Machine("open", {"open": {"finish": "finished"}, "finished": {}})
SILENT_AFTER_FINISH = Machine(
    "open",
    {
        "open": {"role assistant": "open", "other role": "open", "content": "open", "finish": "finished"},
        "finished": {"finish": "finished"},
    },
)


# ------------------------------------------------------------------------------------------------- probes

HELLO = [{"role": "user", "content": "Say hello in three words."}]
ACCENTS = [{"role": "user", "content": "Repeat after me: naïve café, 你好, 👋🏽!"}]
COUNT = [{"role": "user", "content": "Count from 1 to 40 in digits, separated by single spaces."}]
USAGE = {"stream": True, "stream_options": {"include_usage": True}}
PATH = "/chat/completions"

PROBES = (
    probe(
        "chat.stream",
        "POST",
        PATH,
        {"model": MODEL, "messages": HELLO, "max_tokens": 24, "temperature": 0, "seed": 7, **USAGE},
        about="a short streamed answer with usage",
    ),
    probe(
        "chat.stream-n",
        "POST",
        PATH,
        {"model": MODEL, "messages": ACCENTS, "max_tokens": 8, "n": 2, **USAGE},
        about="a stream of two choices, of characters longer than a byte",
    ),
    probe(
        "chat.stream-long",
        "POST",
        PATH,
        {"model": MODEL, "messages": COUNT, "max_tokens": 64, "temperature": 0, **USAGE},
        about="a streamed answer long enough to watch it come",
    ),
    probe(
        "chat.stream-cut",
        "POST",
        PATH,
        {"model": MODEL, "messages": COUNT, "max_tokens": 2, "temperature": 0, **USAGE},
        about="a stream that max_tokens cuts after two tokens",
    ),
)


# ------------------------------------------------------------------------------------- each chunk by itself


@clause("chat.stream.schema", level="MUST", source="SPEC CreateChatCompletionStreamResponse", on=STREAM)
def chunks_match_the_schema(exchange: Exchange) -> None:
    """Every chunk has the documented fields, each of its documented type."""
    schema = load_spec().operations[CHAT].event_schema
    if schema is None:
        raise Inconclusive("the description has no schema for chunks")
    for number, chunk in _chunks(exchange, aside=False):
        for breach in schema.violations(chunk):
            if breach.keyword == "required" and "'finish_reason'" in breach.expected:
                continue  # absent is read as null by every client
            expect(False, expected=breach.expected, got=breach.got, at=breach.pointer, event=number)


@clause("chat.stream.object", level="MUST", source="SPEC CreateChatCompletionStreamResponse.object", on=STREAM)
def chunks_name_their_kind(exchange: Exchange) -> None:
    """The `object` of every chunk is `chat.completion.chunk`."""
    for number, chunk in _chunks(exchange, aside=False):
        kind = chunk.get("object")
        expect(
            kind == "chat.completion.chunk",
            expected='"chat.completion.chunk"',
            got=shown(kind) if "object" in chunk else "no object",
            at="/object",
            event=number,
        )


@clause("chat.stream.id", level="MUST", source="SPEC CreateChatCompletionStreamResponse.id", on=STREAM)
def chunks_share_one_id(exchange: Exchange) -> None:
    """All chunks of a stream have the same `id`, the usage chunk too.

    Clients that serve several streams tell their chunks apart by it.
    """
    _expect_constant(exchange, "id")


@clause("chat.stream.created", level="MUST", source="SPEC CreateChatCompletionStreamResponse.created", on=STREAM)
def chunks_share_one_time(exchange: Exchange) -> None:
    """All chunks of a stream have the same `created`: the time of the answer, not of the chunk."""
    _expect_constant(exchange, "created")


@clause("chat.stream.model", level="MUST", source="SPEC CreateChatCompletionStreamResponse.model", on=STREAM)
def chunks_share_one_model(exchange: Exchange) -> None:
    """All chunks of a stream name the same `model`."""
    _expect_constant(exchange, "model")


@clause("chat.stream.id-fresh", level="SHOULD", source="SPEC id: a unique identifier", on=sequence(STREAM))
def each_stream_has_its_own_id(exchanges: list[Exchange]) -> None:
    """Two streams do not share an `id`."""
    seen: dict[str, str] = {}
    for exchange in exchanges:
        ids = {chunk["id"] for _, chunk in _readable_chunks(exchange) if isinstance(chunk.get("id"), str)}
        for id in sorted(ids - {""}):
            other = seen.setdefault(id, exchange.id)
            expect(other == exchange.id, expected="an id of its own", got=f"{id}, as {other}", at=f"{exchange.id} /id")
    if len(seen) < 2:
        raise NotApplicable("there are no two streams with an id to compare")


@clause("chat.stream.delta", level="MUST", source="SPEC CreateChatCompletionStreamResponse.choices.delta", on=STREAM)
def choices_of_chunks_have_a_delta(exchange: Exchange) -> None:
    """Each choice of a chunk has a `delta`, an object: empty when there is nothing to add, never null, never `message`.

    Clients read `choice.delta.content` without a look; null ends them on the last chunk of an answer that was
    complete.
    """
    seen = False
    for said in _said(exchange):
        seen = True
        delta = said.choice.get("delta")
        expect(
            isinstance(delta, dict),
            expected="a delta that is an object",
            got=shown(delta) if "delta" in said.choice else f"keys {shown(sorted(said.choice))}",
            at=f"/choices/{said.place}/delta",
            event=said.number,
        )
        expect(
            not said.choice.get("message"),
            expected="what is said in delta",
            got=f"message: {shown(said.choice.get('message'))}",
            at=f"/choices/{said.place}/message",
            event=said.number,
        )
    if not seen:
        raise Inconclusive("no chunk has a choice")


@clause("chat.stream.content", level="MUST", source="SPEC ChatCompletionStreamResponseDelta.content", on=STREAM)
def content_of_deltas_is_text(exchange: Exchange) -> None:
    """`delta.content` is a string, or null; never parts, never an object."""
    for said in _said(exchange):
        content = said.delta.get("content")
        expect(
            content is None or isinstance(content, str),
            expected="a string or null",
            got=content,
            at=f"/choices/{said.place}/delta/content",
            event=said.number,
        )


@clause("chat.stream.finish-reason", level="MUST", source="SPEC finish_reason; CAP-2510", on=STREAM)
def finish_reason_is_null_until_the_end(exchange: Exchange) -> None:
    """`finish_reason` is null until a choice ends, then stop, length, tool_calls, content_filter or function_call.

    The word "null" and the empty string are not null: clients take any string for the end of the answer.
    """
    for said in _said(exchange):
        reason = said.choice.get("finish_reason")
        expect(
            reason is None or reason in FINISH_REASONS,
            expected="null, " + ", ".join(FINISH_REASONS),
            got=shown(reason),
            at=f"/choices/{said.place}/finish_reason",
            event=said.number,
        )


@clause(
    "chat.stream.increments", level="MUST", source="SPEC delta; SDK accumulate_delta", on=STREAM, model="some-output"
)
def deltas_are_increments(exchange: Exchange) -> None:
    """Each delta has what is new since the one before; joined in order the deltas are the answer.

    A server that sends the text so far in each delta, or the whole text once more at the end, makes clients
    print everything twice or more.
    """
    texts: dict[Any, list[tuple[int, str]]] = {}
    for said in _said(exchange):
        content = said.delta.get("content")
        if isinstance(content, str) and content:
            texts.setdefault(said.index, []).append((said.number, content))
    # Four deltas that each repeat and lengthen the one before are no accident of the text; nor are twelve
    # characters of several deltas that come again in one.
    if not any(len(pieces) >= 4 for pieces in texts.values()):
        raise NotApplicable("no choice has four deltas with content to compare")
    for pieces in texts.values():
        whole = [text for _, text in pieces]
        grows = all(len(b) > len(a) and b.startswith(a) for a, b in pairwise(whole))
        expect(
            len(whole) < 4 or not grows,
            expected="only the new text in each delta",
            got=f"{shown(whole[0])}, then {shown(whole[1] if len(whole) > 1 else '')}",
            event=pieces[min(1, len(pieces) - 1)][0],
        )
        before = "".join(whole[:-1])
        expect(
            len(whole) < 4 or len(before) < 12 or whole[-1] != before,
            expected="only the new text in each delta",
            got=f"the whole text again: {shown(whole[-1])}",
            event=pieces[-1][0],
        )


# ------------------------------------------------------------------------------- the choices and their order


@clause("chat.stream.choices", level="MUST", source="SPEC CreateChatCompletionRequest.n", on=STREAM)
def choices_are_told_apart(exchange: Exchange) -> None:
    """A stream has one choice for each of `n` (one, when nothing is asked), told apart by `index` 0 to n-1.

    Clients merge deltas by index alone; two choices under one index are shuffled into one text.
    """
    if _error_event(exchange) is not None:
        raise Inconclusive("the stream broke off with an error")
    asked = exchange.request.asked.get("n")
    n = asked if isinstance(asked, int) and asked > 0 else 1
    first: dict[Any, int] = {}
    for number, chunk in _chunks(exchange):
        indices = [said.choice.get("index") for said in _choices(number, chunk)]
        for index in indices:
            expect(
                isinstance(index, int) and not isinstance(index, bool) and 0 <= index < n,
                expected=f"an index from 0 to {n - 1}",
                got=shown(index),
                at="/choices",
                event=number,
            )
            first.setdefault(index, number)
        expect(
            len(indices) == len(set(indices)),
            expected="each index once in a chunk",
            got=shown(indices),
            at="/choices",
            event=number,
        )
    expect(
        len(first) == n,
        expected=f"choices with index {shown(list(range(n)))}",
        got=shown(sorted(first)),
        at="/choices",
        event=_last(exchange),
    )


@clause("chat.stream.role", level="MUST", source="SPEC example; CAP-OTEL; CAP-2510", on=STREAM)
def each_choice_begins_with_its_role(exchange: Exchange) -> None:
    """The first delta of each choice has `role: "assistant"`, alone or together with its first content.

    A client that builds the message from the deltas has no role to send it back with otherwise.
    """
    _expect_order(ROLE_FIRST, exchange, "as the first delta of choice {}: {}")


@clause("chat.stream.role-once", level="SHOULD", source="CAP-OTEL; CAP-2510; SDK accumulate_delta", on=STREAM)
def role_is_not_repeated(exchange: Exchange) -> None:
    """After the first delta of a choice none has a role.

    Clients join the strings of deltas, the official SDK's accumulator too: `assistantassistantassistant`.
    """
    _expect_order(ROLE_ONCE, exchange, "no further role in choice {}")


@clause("chat.stream.finish", level="MUST", source="SPEC finish_reason; CAP-2510", on=STREAM)
def each_choice_finishes(exchange: Exchange) -> None:
    """Each choice ends with a chunk that has its `finish_reason`.

    It tells a whole answer from one that was cut, and starts the tool calls of an agent.
    """
    if _error_event(exchange) is not None:
        raise Inconclusive("the stream broke off with an error")
    choices = dict.fromkeys(said.index for said in _said(exchange)) or (0,)
    offence = FINISHES.first_offence(_symbols(exchange), choices)
    if offence is not None:
        at = _last(exchange) if offence.at is None else offence.at
        expect(False, expected=f"a finish_reason for choice {offence.key}", got="the end of the stream", event=at)


@clause("chat.stream.finish-once", level="MUST", source="SPEC finish_reason; CAP-2510", on=STREAM)
def each_choice_finishes_once(exchange: Exchange) -> None:
    """One chunk of each choice has a `finish_reason`, no more.

    Clients act on it: an agent that sees it twice runs its tools twice.
    """
    _expect_order(FINISHES_ONCE, exchange, "one finish_reason for choice {}")


@clause("chat.stream.after-finish", level="MUST", source="SPEC finish_reason; CAP-2510", on=STREAM)
def nothing_follows_the_finish(exchange: Exchange) -> None:
    """After its `finish_reason` nothing more is said in a choice: clients have closed it, and lose what follows."""
    _expect_order(SILENT_AFTER_FINISH, exchange, "nothing more in choice {}")


# ------------------------------------------------------------------------------------------------- errors


def _is_free(body: dict[str, Any]) -> bool:
    """Whether nothing asks for a form: a model that fails a form may leave the server no choice."""
    return not any(body.get(name) for name in ("response_format", "tools", "functions"))


@clause(
    "chat.stream.error",
    level="MUST",
    source="SDK _streaming.py; QUOTES-0915 L5",
    on=answered(CHAT, streamed=True, asks=_is_free),
)
def a_stream_that_began_runs_to_its_end(exchange: Exchange) -> None:
    """A stream of free text that has begun is not broken off by an error.

    Clients cannot retry it: a part of the answer is already on the screen.
    """
    found = _error_event(exchange)
    if found is None:
        list(_chunks(exchange))  # inconclusive when nothing could be read
        return
    number, error = found
    if not any(at < number for at, _ in _chunks(exchange)):
        raise NotApplicable("the error came before the first chunk")
    expect(False, expected="the rest of the answer", got=error, event=number)


@clause("chat.stream.error-shape", level="SHOULD", source="SDK _streaming.py; SPEC Error", on=STREAM)
def errors_in_streams_are_readable(exchange: Exchange) -> None:
    """An error in a stream is an event `data: {"error": {"message": ..., "type": ..., "param": ..., "code": ...}}`.

    The official SDKs look for a member `error` with a `message`; whatever else comes is taken for a chunk.
    """
    found = _error_event(exchange)
    if found is None:
        raise NotApplicable("no stream had an error")
    number, value = found
    error = value.get("error")
    expect(isinstance(error, dict), expected="an object `error`", got=value, event=number)
    for breach in load_spec().schema("ErrorDetail").violations(error):
        expect(False, expected=breach.expected, got=breach.got, at=f"/error{breach.pointer}", event=number)


# ------------------------------------------------------------------------------------------------ reading


@dataclass(frozen=True, slots=True)
class Said:
    """What one chunk says in one choice. `place` is its place in the list, `index` what it is told apart by."""

    number: int
    place: int
    choice: dict[str, Any]

    @property
    def index(self) -> int:
        """0 when there is none that could be read: that is another clause's finding."""
        index = self.choice.get("index")
        return index if isinstance(index, int) else 0

    @property
    def delta(self) -> dict[str, Any]:
        delta = self.choice.get("delta")
        return delta if isinstance(delta, dict) else {}

    @property
    def increments(self) -> list[str]:
        """The names of what the delta adds."""
        return [name for name in INCREMENTS if self.delta.get(name)]


def _objects(exchange: Exchange) -> Iterator[tuple[int, Event, dict[str, Any]]]:
    """The JSON objects up to [DONE], with the numbers of their events. What else is there is sse.py's business."""
    for number, event in enumerate(exchange.events):
        if event.is_done:
            return
        try:
            value = parse_json(event.data) if event.data else None
        except Undecodable:
            continue
        if isinstance(value, dict):
            yield number, event, value


def _is_error(event: Event, value: dict[str, Any]) -> bool:
    return bool(value.get("error")) or (event.name == "error" and "choices" not in value)


def _error_event(exchange: Exchange) -> tuple[int, dict[str, Any]] | None:
    return next(((at, value) for at, event, value in _objects(exchange) if _is_error(event, value)), None)


def _readable_chunks(exchange: Exchange, *, aside: bool = True) -> list[tuple[int, dict[str, Any]]]:
    """The chunks of a stream, without errors and without events of other kinds (`event: ping`).

    `aside=False` leaves out chunks that have neither choices nor usage: reports of content filters, whose id
    and model may be empty.
    """
    return [
        (number, value)
        for number, event, value in _objects(exchange)
        if not _is_error(event, value)
        and (event.name in (None, "", "message") or "choices" in value)
        and (aside or value.get("choices") != [] or value.get("usage"))
    ]


def _chunks(exchange: Exchange, *, aside: bool = True) -> list[tuple[int, dict[str, Any]]]:
    """The same; Inconclusive when an event is not JSON, for what it says may be what a clause would miss."""
    chunks = _readable_chunks(exchange, aside=aside)
    if not any(event.data for event in exchange.events):
        raise Inconclusive("no chunk could be read")
    for number, event in enumerate(exchange.events):
        if event.data and event.data.strip() and not event.is_done and not _is_json(event.data):
            raise Inconclusive(f"event {number} is not JSON")
    return chunks


def _is_json(data: str) -> bool:
    try:
        parse_json(data)
    except Undecodable:
        return False
    return True


def _choices(number: int, chunk: dict[str, Any]) -> list[Said]:
    choices = chunk.get("choices")
    listed = choices if isinstance(choices, list) else []
    return [Said(number, place, choice) for place, choice in enumerate(listed) if isinstance(choice, dict)]


def _said(exchange: Exchange) -> Iterator[Said]:
    for number, chunk in _chunks(exchange):
        yield from _choices(number, chunk)


def _symbols(exchange: Exchange) -> Iterator[Symbol]:
    """The stream as the automata read it; in one chunk first the role, then content, then finish."""
    for number, chunk in _chunks(exchange):
        for said in _choices(number, chunk):
            role = said.delta.get("role")
            if role is not None:
                name = "role assistant" if role == "assistant" else "other role"
                yield Symbol(name, number, said.index, f"role {shown(role)}")
            for increment in said.increments:
                yield Symbol("content", number, said.index, f"{increment} {shown(said.delta[increment])}")
            reason = said.choice.get("finish_reason")
            if reason is not None and reason not in ("", "null"):
                yield Symbol("finish", number, said.index, f"finish_reason {shown(reason)}")


def _expect_order(machine: Machine, exchange: Exchange, rule: str) -> None:
    """`rule` says what is expected; its braces take the choice, and what the automaton would have taken."""
    symbols = list(_symbols(exchange))
    if not symbols:
        raise Inconclusive("no chunk says anything")
    offence = machine.first_offence(symbols)
    if offence is not None:
        expected = rule.format(offence.key, " or ".join(offence.expected))
        expect(False, expected=expected, got=offence.got, at="/choices", event=offence.at)


def _expect_constant(exchange: Exchange, name: str) -> None:
    chunks = _chunks(exchange, aside=False)
    given = [(number, chunk[name]) for number, chunk in chunks if chunk.get(name) not in (None, "")]
    if not given:
        raise Inconclusive(f"no chunk has {name}")
    first = given[0][1]
    for number, chunk in chunks:
        expect(
            chunk.get(name) == first,
            expected=f"{shown(first)} as in the other chunks",
            got=shown(chunk[name]) if name in chunk else f"no {name}",
            at=f"/{name}",
            event=number,
        )


def _last(exchange: Exchange) -> int | None:
    return len(exchange.events) - 1 if exchange.events else None
