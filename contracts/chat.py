"""Chat completions in one piece: the shape of an answer, and that what is asked is served.

What a text may hold is judged in `chat_text.py`, where it ends in `chat_limits.py`, what it costs in `usage.py`,
probabilities in `chat_logprobs.py`; that the answer is JSON in `wire.py`.
"""

from __future__ import annotations

import re
from typing import Any

from wireproof.clause import (
    MODEL,
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
    together,
)

from ._acceptance import expect_served
from ._asked import choices_asked
from ._chat import messages_of
from ._reading import as_text, maybe_object, object_of, tokens_of, told
from ._room import ran_out
from ._shape import PATH_LIKE, expect_created_now, expect_ids_of_their_own, expect_schema

QUESTION = "Say hello in three words."


def _ask(**fields: Any) -> dict[str, Any]:
    return {
        "model": MODEL,
        "messages": [{"role": "user", "content": QUESTION}],
        "max_tokens": 24,
        "temperature": 0,
        "seed": 7,
        **fields,
    }


def _chat(id: str, body: dict[str, Any], about: str, *, is_cut: bool = False) -> Probe:
    return probe(id, "POST", "/chat/completions", body, about=about, ran_out=None if is_cut else ran_out)


# What the API reference lets be null. A stop is a common letter: no model writes a sentence without, so it is hit.
NULLS = (
    "n",
    "top_p",
    "frequency_penalty",
    "presence_penalty",
    "logit_bias",
    "logprobs",
    "top_logprobs",
    "store",
    "stream",
    "stream_options",
    "metadata",
    "max_completion_tokens",
)
NEVER_SAID = "\N{SNOWMAN}\N{SNOWMAN}"
IN_PARTS = [{"role": "user", "content": [{"type": "text", "text": QUESTION}]}]

# As in chat_stream.py: what one choice costs of the prompt, so do two.
COUNT = [{"role": "user", "content": "Count from 1 to 40 in digits, separated by single spaces."}]

DRAWN = {"temperature": 1, "top_p": 0.9, "presence_penalty": 0.5, "frequency_penalty": 0.5}

PROBES = (
    _chat("chat.plain", _ask(), "one short question"),
    _chat("chat.plain-again", _ask(), "the same question: does the backend repeat itself?"),
    _chat(
        "chat.n",
        _ask(messages=COUNT, n=2, max_tokens=5, **DRAWN),
        "two choices, both cut by max_tokens",
        is_cut=True,
    ),
    _chat("chat.stop", _ask(stop="e"), "the same question with a stop sequence"),
    _chat(
        "chat.stop-list",
        _ask(stop=[NEVER_SAID, "a", "o"], **dict.fromkeys(NULLS)),
        "three stop sequences, of which the first never comes; optional parameters null",
    ),
    _chat("chat.cap", _ask(max_tokens=2), "the same question cut by max_tokens", is_cut=True),
    _chat(
        "chat.cap-completion",
        {key: value for key, value in _ask(max_completion_tokens=2, messages=IN_PARTS).items() if key != "max_tokens"},
        "the same question as a content part, cut by max_completion_tokens",
        is_cut=True,
    ),
)

WHOLE = answered("createChatCompletion", streamed=False)
ONE = answered("createChatCompletion", probes="chat.plain")  # one example is enough for a note


# ---------------------------------------------------------------------------------------------- the shape


# These have clauses of their own, which say more than a schema can.
JUDGED_ELSEWHERE = re.compile(
    r"/(id|object|created|model|usage|service_tier)\b.*"
    r"|/choices|/choices/\d+/(index|finish_reason|logprobs/.*|message/(role|content|tool_calls/.*))"
)


@clause("chat.schema", level="MUST", source="SPEC CreateChatCompletionResponse", on=WHOLE)
def answer_keeps_the_schema(exchange: Exchange) -> None:
    """Every part of the answer has the documented type; unknown keys are welcome.

    Ids, times, roles, reasons, counts and tool calls are judged by clauses of their own.
    """
    schema = load_spec().operations["createChatCompletion"].answer_schema(200)
    if schema is None:
        raise NotApplicable("the description has no schema for this answer")
    expect_schema(schema, exchange.json, JUDGED_ELSEWHERE)


@clause("chat.object", level="MUST", source="SPEC CreateChatCompletionResponse.object", on=WHOLE)
def object_literal(exchange: Exchange) -> None:
    """`object` is `chat.completion`."""
    got = object_of(exchange).get("object")
    expect(got == "chat.completion", expected='"chat.completion"', got=shown(got), at="/object")


@clause("chat.id", level="MUST", source="SPEC CreateChatCompletionResponse.id", on=WHOLE)
def id_is_there(exchange: Exchange) -> None:
    """Every completion has an `id`, a string that is not empty."""
    got = object_of(exchange).get("id")
    expect(isinstance(got, str) and bool(got.strip()), expected="a non-empty string", got=shown(got), at="/id")


@clause(
    "chat.id-unique",
    level="MUST",
    source="SPEC CreateChatCompletionResponse.id: a unique identifier",
    on=sequence(WHOLE),
)
def ids_are_unique(exchanges: list[Exchange]) -> None:
    """No two completions share an `id`, not even answers to the same question."""
    expect_ids_of_their_own(exchanges, _id)


def _id(exchange: Exchange) -> str | None:
    return as_text(maybe_object(exchange).get("id")) or None


# Prefixes by which people and tools tell objects apart in logs. Source: SPEC examples.
OF_ANOTHER_KIND = re.compile(r"(cmpl-|resp_|msg_|call_|fc_|req_|embd-|batch_|file-)")


@clause("chat.id-kind", level="SHOULD", source="SPEC CreateChatCompletionResponse example", on=WHOLE)
def id_of_the_right_kind(exchange: Exchange) -> None:
    """An `id` does not carry the prefix of another kind of object, such as `cmpl-` or `req_`."""
    got = _known_id(exchange)
    expect(OF_ANOTHER_KIND.match(got) is None, expected="no prefix of another kind of object", got=got, at="/id")


def _known_id(exchange: Exchange) -> str:
    id = _id(exchange)
    if id is None:
        raise Inconclusive("the answer has no id")
    return id


@clause(
    "chat.created",
    level="MUST",
    source="SPEC CreateChatCompletionResponse.created",
    on=WHOLE,
)
def created_is_now(exchange: Exchange) -> None:
    """`created` is the moment of the answer in whole Unix seconds."""
    created = object_of(exchange).get("created")
    expect_created_now(exchange, created, shown(created))


@clause("chat.model", level="SHOULD", source="SPEC CreateChatCompletionResponse.model", on=WHOLE)
def model_is_named(exchange: Exchange) -> None:
    """`model` names what answered: the name asked for, its snapshot or alias, never a path of the server's disk."""
    got = object_of(exchange).get("model")
    named = isinstance(got, str) and bool(got.strip())
    asked = exchange.request.asked.get("model")
    expect(
        got == asked or (named and not PATH_LIKE.match(str(got))),
        expected=f"{shown(asked)} or the model it stands for",
        got=shown(got),
        at="/model",
    )


@clause(
    "chat.choices",
    level="MUST",
    source="SPEC CreateChatCompletionResponse.choices, CreateChatCompletionRequest.n (default 1)",
    on=answered("createChatCompletion", streamed=False, asks=lambda body: choices_asked(body) == 1),
)
def one_choice(exchange: Exchange) -> None:
    """An answer has one choice, `index` 0, unless `n` asks for more."""
    _expect_indices(exchange, 1)


@clause(
    "chat.n",
    level="MUST",
    source="SPEC CreateChatCompletionRequest.n",
    on=answered("createChatCompletion", streamed=False, asks=lambda body: choices_asked(body) > 1),
    fields=("n",),
)
def one_choice_for_each_n(exchange: Exchange) -> None:
    """`n: 2` brings two choices, told apart by `index` 0 and 1."""
    _expect_indices(exchange, choices_asked(exchange.request.asked))


def _expect_indices(exchange: Exchange, most: int) -> None:
    choices = object_of(exchange).get("choices")
    listed = choices if isinstance(choices, list) else []
    got = [choice.get("index") if isinstance(choice, dict) else None for choice in listed]
    expected = list(range(most))
    expect(
        sorted(index for index in got if type(index) is int) == expected and len(got) == most,
        expected=f"choices with index {shown(expected)}",
        got=f"index {shown(got)}" if isinstance(choices, list) else f"choices {shown(choices)}",
        at="/choices",
    )


@clause("chat.role", level="MUST", source="SPEC ChatCompletionResponseMessage.role", on=WHOLE)
def role_is_assistant(exchange: Exchange) -> None:
    """The message of every choice has the role `assistant`."""
    for at, message in messages_of(exchange):
        got = message.get("role")
        expect(got == "assistant", expected='"assistant"', got=told(message, "role"), at=f"{at}/role")


@clause("chat.content", level="MUST", source="SPEC ChatCompletionResponseMessage.content", on=WHOLE)
def content_is_text_or_null(exchange: Exchange) -> None:
    """Every message has the key `content`: a string or null, never a list of parts.

    Messages with tool calls are judged by `chat.tools.content-key`.
    """
    plain = [(at, message) for at, message in messages_of(exchange) if not message.get("tool_calls")]
    if not plain:
        raise NotApplicable("every message has tool calls")
    for at, message in plain:
        got = message.get("content")
        held = "content" in message and (got is None or isinstance(got, str))
        expect(held, expected="a string or null", got=told(message, "content"), at=f"{at}/content")


# ------------------------------------------------------------------------------------------ what is asked


# A template may put a blank around a part. The text written out as a list costs five tokens or more.
PARTS_SLACK_TOKENS = 2


@clause(
    "chat.parts",
    level="MUST",
    source="SPEC ChatCompletionRequestUserMessage.content",
    on=together("chat.plain", "chat.cap-completion"),
)
def a_part_is_the_text(plain: Exchange, parts: Exchange) -> None:
    """Content given as one text part reaches the model as the same string would: as many prompt tokens."""
    first, second = _prompt_tokens(plain), _prompt_tokens(parts)
    expect(
        abs(first - second) <= PARTS_SLACK_TOKENS,
        expected=f"{first} prompt tokens, as for the string",
        got=f"{second}",
        at="/usage/prompt_tokens",
    )


@clause(
    "chat.nulls",
    level="MUST",
    source="SPEC CreateChatCompletionRequest (type null of optional parameters)",
    on=together("chat.plain", "chat.stop-list"),
)
def null_is_absent(plain: Exchange, nulls: Exchange) -> None:
    """An optional parameter that is null means the same as one that is absent: as many prompt tokens."""
    first, second = _prompt_tokens(plain), _prompt_tokens(nulls)
    expect(
        first == second,
        expected=f"{first} prompt tokens, as without the nulls",
        got=f"{second}",
        at="/usage/prompt_tokens",
    )


def _prompt_tokens(exchange: Exchange) -> int:
    count = tokens_of(exchange, "prompt_tokens")
    if count is None:
        raise Inconclusive("the answers do not say how many tokens the prompt has")
    return count


@clause(
    "chat.accepts",
    level="MUST",
    source="SPEC CreateChatCompletionRequest",
    on=sent("createChatCompletion", probes=[one.id for one in PROBES]),
)
def documented_requests_are_served(exchange: Exchange) -> None:
    """Documented parameters and forms of input are served, or refused as unsupported by name.

    A backend that cannot do something says so with a code such as `unsupported_parameter`: clients can act on it.
    """
    expect_served(exchange, _said(exchange))


def _said(exchange: Exchange) -> str:
    """Code and message of an error, else the body as it came."""
    try:
        error = exchange.json["error"]
        return f"{error.get('code')}: {error['message']}"
    except (Undecodable, LookupError, TypeError, AttributeError):
        return exchange.wire[:200].decode("utf-8", "replace")
