"""Streamed chat: what the chunks of an answer say, each by itself and all alike.

The order in which a choice is told is judged in chat_stream_order.py, framing and `[DONE]` in sse.py, the usage of
streams in chat_stream_usage.py, the deltas of tool calls in chat_tool_streams.py, the likeness to the plain answer in
chat_parity.py.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

from wireproof.clause import (
    MODEL,
    Exchange,
    Inconclusive,
    NotApplicable,
    answered,
    clause,
    expect,
    load_spec,
    probe,
    sequence,
    shown,
)

from ._chat import FINISH_REASONS, delta_of
from ._chat_stream import chunks_of, error_event, index_of, last_event, readable_chunks, said_in
from ._reading import choices_in
from ._room import ran_out
from ._shape import expect_schema

CHAT = "createChatCompletion"
STREAM = answered(CHAT, streamed=True)


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
        ran_out=ran_out,
    ),
    probe(
        "chat.stream-n",
        "POST",
        PATH,
        {"model": MODEL, "messages": ACCENTS, "max_tokens": 8, "n": 2, **USAGE},
        about="a stream of two choices, of characters longer than a byte",
        ran_out=ran_out,
    ),
    probe(
        "chat.stream-long",
        "POST",
        PATH,
        {"model": MODEL, "messages": COUNT, "max_tokens": 64, "temperature": 0, **USAGE},
        about="a streamed answer long enough to watch it come",
        ran_out=ran_out,
    ),
    probe(
        "chat.stream-cut",
        "POST",
        PATH,
        {"model": MODEL, "messages": COUNT, "max_tokens": 2, "temperature": 0, **USAGE},
        about="a stream that max_tokens cuts after two tokens",
    ),
)


# --------------------------------------------------------------------------------------------- the chunks


# These have clauses of their own, which say more than a schema can. A finish_reason that is absent is null to clients.
JUDGED_ELSEWHERE = re.compile(r"/object|/service_tier|/choices/\d+/(finish_reason|delta|delta/content)")


@clause("chat.stream.schema", level="MUST", source="SPEC CreateChatCompletionStreamResponse", on=STREAM)
def chunks_match_the_schema(exchange: Exchange) -> None:
    """Every chunk has the documented fields, each of its documented type."""
    schema = load_spec().operations[CHAT].event_schema
    if schema is None:
        raise Inconclusive("the description has no schema for chunks")
    for number, chunk in chunks_of(exchange, aside=False):
        expect_schema(schema, chunk, JUDGED_ELSEWHERE, number)


@clause("chat.stream.object", level="MUST", source="SPEC CreateChatCompletionStreamResponse.object", on=STREAM)
def chunks_name_their_kind(exchange: Exchange) -> None:
    """The `object` of every chunk is `chat.completion.chunk`."""
    for number, chunk in chunks_of(exchange, aside=False):
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
    """All chunks of a stream have the same `created`: the time of the answer, not of the chunk.

    Take the time once, when the request comes, and hand it to whatever writes the chunks.
    """
    _expect_constant(exchange, "created")


@clause("chat.stream.model", level="MUST", source="SPEC CreateChatCompletionStreamResponse.model", on=STREAM)
def chunks_share_one_model(exchange: Exchange) -> None:
    """All chunks of a stream name the same `model`."""
    _expect_constant(exchange, "model")


def _expect_constant(exchange: Exchange, name: str) -> None:
    chunks = chunks_of(exchange, aside=False)
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


@clause("chat.stream.id-fresh", level="SHOULD", source="SPEC id: a unique identifier", on=sequence(STREAM))
def each_stream_has_its_own_id(exchanges: list[Exchange]) -> None:
    """Two streams do not share an `id`."""
    seen: dict[str, str] = {}
    for exchange in exchanges:
        ids = {chunk["id"] for _, chunk in readable_chunks(exchange) if isinstance(chunk.get("id"), str)}
        for id in sorted(ids - {""}):
            other = seen.setdefault(id, exchange.id)
            expect(other == exchange.id, expected="an id of its own", got=f"{id}, as {other}", at=f"{exchange.id} /id")
    if len(seen) < 2:
        raise NotApplicable("there are no two streams with an id to compare")


# ------------------------------------------------------------------------------------ the choices in them


@clause("chat.stream.delta", level="MUST", source="SPEC CreateChatCompletionStreamResponse.choices.delta", on=STREAM)
def choices_of_chunks_have_a_delta(exchange: Exchange) -> None:
    """Each choice of a chunk has a `delta`, an object: empty when there is nothing to add, never null, never `message`.

    Clients read `choice.delta.content` without a look; null ends them on the last chunk of an answer that was
    complete.
    """
    seen = False
    for said in said_in(exchange):
        seen = True
        delta = said.choice.get("delta")
        expect(
            isinstance(delta, dict),
            expected="a delta that is an object",
            got=shown(delta) if "delta" in said.choice else f"keys {shown(sorted(said.choice))}",
            at=f"{said.at}/delta",
            event=said.event,
        )
        message = said.choice.get("message")
        is_of_calls = isinstance(message, dict) and bool(message.get("tool_calls"))  # chat.tools.stream.in-delta
        expect(
            not message or is_of_calls,
            expected="what is said in delta",
            got=f"message: {shown(message)}",
            at=f"{said.at}/message",
            event=said.event,
        )
    if not seen:
        raise Inconclusive("no chunk has a choice")


@clause("chat.stream.content", level="MUST", source="SPEC ChatCompletionStreamResponseDelta.content", on=STREAM)
def content_of_deltas_is_text(exchange: Exchange) -> None:
    """`delta.content` is a string, or null; never parts, never an object."""
    for said in said_in(exchange):
        content = delta_of(said.choice).get("content")
        expect(
            content is None or isinstance(content, str),
            expected="a string or null",
            got=content,
            at=f"{said.at}/delta/content",
            event=said.event,
        )


@clause("chat.stream.finish-reason", level="MUST", source="SPEC finish_reason; CAP-2510", on=STREAM)
def finish_reason_is_null_until_the_end(exchange: Exchange) -> None:
    """`finish_reason` is null until a choice ends, then stop, length, tool_calls, content_filter or function_call.

    The word "null" and the empty string are not null: clients take any string for the end of the answer.
    """
    for said in said_in(exchange):
        reason = said.choice.get("finish_reason")
        expect(
            reason is None or reason in FINISH_REASONS,
            expected="null, " + ", ".join(FINISH_REASONS),
            got=shown(reason),
            at=f"{said.at}/finish_reason",
            event=said.event,
        )


@clause(
    "chat.stream.increments", level="MUST", source="SPEC delta; SDK accumulate_delta", on=STREAM, model="some-output"
)
def deltas_are_increments(exchange: Exchange) -> None:
    """Each delta has what is new since the one before; joined in order the deltas are the answer.

    A server that sends the text so far in each delta, or the whole text once more at the end, makes clients
    print everything twice or more.
    """
    texts: dict[Any, list[tuple[int | None, str]]] = {}
    for said in said_in(exchange):
        content = delta_of(said.choice).get("content")
        if isinstance(content, str) and content:
            texts.setdefault(index_of(said.choice), []).append((said.event, content))
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


@clause("chat.stream.choices", level="MUST", source="SPEC CreateChatCompletionRequest.n", on=STREAM)
def choices_are_told_apart(exchange: Exchange) -> None:
    """A stream has one choice for each of `n` (one, when nothing is asked), told apart by `index` 0 to n-1.

    Clients merge deltas by index alone; two choices under one index are shuffled into one text.
    """
    if error_event(exchange) is not None:
        raise Inconclusive("the stream broke off with an error")
    asked = exchange.request.asked.get("n")
    n = asked if isinstance(asked, int) and asked > 0 else 1
    first: dict[Any, int] = {}
    for number, chunk in chunks_of(exchange):
        indices = [choice.get("index") for _, choice in choices_in(chunk)]
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
        event=last_event(exchange),
    )


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
    found = error_event(exchange)
    if found is None:
        list(chunks_of(exchange))  # inconclusive when nothing could be read
        return
    number, error = found
    if not any(at < number for at, _ in chunks_of(exchange)):
        raise NotApplicable("the error came before the first chunk")
    expect(False, expected="the rest of the answer", got=error, event=number)


@clause("chat.stream.error-shape", level="SHOULD", source="SDK _streaming.py; SPEC Error", on=STREAM)
def errors_in_streams_are_readable(exchange: Exchange) -> None:
    """An error in a stream is an event `data: {"error": {"message": ..., "type": ..., "param": ..., "code": ...}}`.

    The official SDKs look for a member `error` with a `message`; whatever else comes is taken for a chunk.
    """
    found = error_event(exchange)
    if found is None:
        raise NotApplicable("no stream had an error")
    number, value = found
    error = value.get("error")
    expect(isinstance(error, dict), expected="an object `error`", got=value, event=number)
    for breach in load_spec().schema("ErrorDetail").violations(error):
        expect(False, expected=breach.expected, got=breach.got, at=f"/error{breach.pointer}", event=number)
