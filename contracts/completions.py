"""Legacy completions: what is served, and the shape of an answer and of its chunks.

Where a text ends is judged in completions_text.py, probabilities in completions_logprobs.py, what chunks say together
in completions_stream.py; tokens are counted in usage.py, `[DONE]` and framing judged in sse.py. Backends without the
endpoint, and models that only chat, are not judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from wireproof.clause import (
    COMPLETION_MODEL,
    Exchange,
    Inconclusive,
    NotApplicable,
    Probe,
    Undecodable,
    answered,
    clause,
    expect,
    load_spec,
    probe,
    sent,
    sequence,
    shown,
)

from ._acceptance import expect_served
from ._asked import choices_asked
from ._completions import choices_told, objects_told
from ._reading import as_text, told
from ._shape import PATH_LIKE, expect_created_now, expect_ids_of_their_own, expect_schema

PROMPT = "The capital of France is the city of"
NEVER_SAID = "\N{SNOWMAN}\N{SNOWMAN}"


def _ask(**fields: Any) -> dict[str, Any]:
    return {"model": COMPLETION_MODEL, "prompt": PROMPT, "max_tokens": 12, "temperature": 0, "seed": 7, **fields}


def _complete(id: str, body: dict[str, Any], about: str) -> Probe:
    return probe(id, "POST", "/completions", body, about=about, needs=COMPLETION_MODEL)


PROBES = (
    _complete("completions.plain", _ask(logprobs=2), "one prompt, with two candidates a token"),
    _complete(
        "completions.echo",
        _ask(echo=True, stop=[NEVER_SAID, "a", "e"]),
        "the same, with the prompt in front and three stop sequences, of which the first never comes",
    ),
    _complete(
        "completions.stream",
        _ask(stream=True, stream_options={"include_usage": True}, logprobs=2),
        "the first again, streamed",
    ),
    _complete(
        "completions.batch",
        _ask(prompt=[PROMPT, "Count from 1 to 50:"], n=2, max_tokens=3, temperature=1, echo=True),
        "two prompts, two choices each, with the prompts in front",
    ),
    _complete(
        "completions.scored",
        _ask(max_tokens=1, logprobs=2, echo=True),
        "how likely each token of the prompt is, as harnesses ask it",
    ),
)

ANY = answered("createCompletion")


# ---------------------------------------------------------------------------------------------- the shape


# These have clauses of their own, which say more than a schema can.
JUDGED_ELSEWHERE = re.compile(
    r"/(id|object|created|model|usage)\b.*|/choices|/choices/\d+/(index|text|finish_reason|logprobs\b.*)"
)


@clause("completions.schema", level="MUST", source="SPEC CreateCompletionResponse", on=ANY)
def answer_keeps_the_schema(exchange: Exchange) -> None:
    """Every part of an answer or a chunk has the documented type; unknown keys are welcome.

    Ids, times, texts, reasons, counts and log probabilities are judged by clauses of their own.
    """
    operation = load_spec().operations["createCompletion"]
    schema = operation.event_schema if exchange.streamed else operation.answer_schema(200)
    if schema is None:
        raise NotApplicable("the description has no schema for this answer")
    bodies: Iterable[tuple[int | None, Any]] = objects_told(exchange) if exchange.streamed else [(None, exchange.json)]
    for event, body in bodies:
        expect_schema(schema, body, JUDGED_ELSEWHERE, event)


@clause("completions.object", level="MUST", source="SPEC CreateCompletionResponse.object", on=ANY)
def object_literal(exchange: Exchange) -> None:
    """`object` is `text_completion`, in an answer as in every chunk."""
    for event, body in objects_told(exchange):
        got = body.get("object")
        expect(
            got == "text_completion", expected='"text_completion"', got=told(body, "object"), at="/object", event=event
        )


@clause("completions.id", level="MUST", source="SPEC CreateCompletionResponse.id", on=ANY)
def id_is_there(exchange: Exchange) -> None:
    """Every completion has an `id`, a string that is not empty, in an answer as in every chunk."""
    for event, body in objects_told(exchange):
        got = body.get("id")
        held = isinstance(got, str) and bool(got.strip())
        expect(held, expected="a non-empty string", got=told(body, "id"), at="/id", event=event)


@clause(
    "completions.id-unique",
    level="MUST",
    source="SPEC CreateCompletionResponse.id: a unique identifier",
    on=sequence(ANY),
)
def ids_are_unique(exchanges: list[Exchange]) -> None:
    """No two completions share an `id`."""
    expect_ids_of_their_own(exchanges, _id)


def _id(exchange: Exchange) -> str | None:
    try:
        _, body = next(objects_told(exchange))
    except (Undecodable, Inconclusive, StopIteration):
        return None
    return as_text(body.get("id")) or None


# Prefixes by which people and tools tell objects apart in logs. Source: SPEC examples.
OF_ANOTHER_KIND = re.compile(r"(chatcmpl-|resp_|msg_|call_|fc_|req_|embd-|batch_|file-)")


@clause("completions.id-kind", level="SHOULD", source="SPEC CreateCompletionResponse example", on=ANY)
def id_of_the_right_kind(exchange: Exchange) -> None:
    """An `id` does not carry the prefix of another kind of object, such as `chatcmpl-`; completions have `cmpl-`.

    Chat and completions served by one function is the usual cause: make the id where the route is known.
    """
    got = _id(exchange)
    if got is None:
        raise Inconclusive("the answer has no id")
    expect(OF_ANOTHER_KIND.match(got) is None, expected="no prefix of another kind of object", got=got, at="/id")


@clause(
    "completions.created",
    level="MUST",
    source="SPEC CreateCompletionResponse.created",
    on=ANY,
)
def created_is_now(exchange: Exchange) -> None:
    """`created` is the moment of the answer in whole Unix seconds, in an answer as in every chunk."""
    for event, body in objects_told(exchange):
        expect_created_now(exchange, body.get("created"), told(body, "created"), event)


@clause("completions.model", level="MUST", source="SPEC CreateCompletionResponse.model", on=ANY)
def model_is_named(exchange: Exchange) -> None:
    """`model` is a name, in an answer as in every chunk."""
    for event, body in objects_told(exchange):
        got = body.get("model")
        held = isinstance(got, str) and bool(got.strip())
        expect(held, expected="a model's name", got=told(body, "model"), at="/model", event=event)


@clause("completions.model-path", level="SHOULD", source="SPEC CreateCompletionResponse.model", on=ANY)
def model_is_no_path(exchange: Exchange) -> None:
    """`model` is the name asked for or what it stands for, never a path of the server's disk."""
    for event, body in objects_told(exchange):
        got, asked = body.get("model"), exchange.request.asked.get("model")
        if isinstance(got, str):
            expect(
                got == asked or not PATH_LIKE.match(got),
                expected=f"{shown(asked)} or the model it stands for",
                got=shown(got),
                at="/model",
                event=event,
            )


@clause(
    "completions.choices", level="MUST", source="SPEC CreateCompletionRequest.n, prompt", on=ANY, fields=("n", "prompt")
)
def one_choice_for_each_n_and_prompt(exchange: Exchange) -> None:
    """There are `n` choices for each prompt of a list, told apart by `index` from 0 on.

    Two prompts with `n: 2` make four choices, those of the first prompt first; count `index` over all of them.
    """
    expected = list(range(choices_asked(exchange.request.asked)))
    indices = [choice.get("index") for _, _, choice in choices_told(exchange)]
    known = [index for index in indices if type(index) is int]
    got = sorted(set(known)) if exchange.streamed else sorted(known)
    expect(
        got == expected and len(known) == len(indices),
        expected=f"choices with index {shown(expected)}",
        got=f"index {shown(got if len(known) == len(indices) else indices)}",
        at="/choices",
    )


@clause("completions.text", level="MUST", source="SPEC CreateCompletionResponse.choices.text", on=ANY)
def text_is_a_string(exchange: Exchange) -> None:
    """`text` of every choice is a string, in an answer as in every chunk; it may be empty."""
    for event, at, choice in choices_told(exchange):
        got = choice.get("text")
        expect(isinstance(got, str), expected="a string", got=told(choice, "text"), at=f"{at}/text", event=event)


# --------------------------------------------------------------------------------------- what is accepted


NOT_SERVED = (404, 405, 501)
NO_COMPLETIONS = re.compile(r"\bchat[ -]model|not a (?:legacy )?completions? model|v1/chat/completions", re.I)


@clause(
    "completions.accepts",
    level="MUST",
    source="SPEC CreateCompletionRequest",
    on=sent("createCompletion", probes=[one.id for one in PROBES]),
)
def documented_requests_are_served(exchange: Exchange) -> None:
    """Documented parameters and forms of prompt are served, or refused as unsupported by name.

    A backend without the endpoint, or with a model that only chats, says so and is not judged.
    """
    status = exchange.status or 0
    if 200 <= status < 300:
        return
    said = exchange.wire[:400].decode("utf-8", "replace")
    if status in NOT_SERVED or NO_COMPLETIONS.search(said):
        raise NotApplicable(f"the endpoint is not served for this model: {status} {said[:120]}")
    expect_served(exchange, said)
