"""Chat completions in one piece: the shape of an answer, why it ended, and that limits and stops take effect.

Where a clause needs to know what the model would have said, it compares with `chat.plain`: the same question at
temperature 0, cut shorter or stopped earlier. A backend that does not repeat itself then leaves nothing to judge.
Tokens are counted in `usage.py`, probabilities in `chat_logprobs.py`; that the answer is JSON is judged in `wire.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
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


def _chat(id: str, body: dict[str, Any], about: str) -> Probe:
    return probe(id, "POST", "/chat/completions", body, about=about)


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

PROBES = (
    _chat("chat.plain", _ask(), "one short question"),
    _chat("chat.plain-again", _ask(), "the same question: does the backend repeat itself?"),
    _chat(
        "chat.n",
        _ask(messages=[{"role": "user", "content": "Count from 1 to 50."}], n=2, max_tokens=5, temperature=1),
        "two choices, both cut by max_tokens",
    ),
    _chat("chat.stop", _ask(stop="e"), "the same question with a stop sequence"),
    _chat(
        "chat.stop-list",
        _ask(stop=[NEVER_SAID, "a", "o"], **dict.fromkeys(NULLS)),
        "three stop sequences, of which the first never comes; optional parameters null",
    ),
    _chat("chat.cap", _ask(max_tokens=2), "the same question cut by max_tokens"),
    _chat(
        "chat.cap-completion",
        {key: value for key, value in _ask(max_completion_tokens=2, messages=IN_PARTS).items() if key != "max_tokens"},
        "the same question as a content part, cut by max_completion_tokens",
    ),
)

FINISH_REASONS = ("stop", "length", "tool_calls", "content_filter", "function_call")
WHOLE = answered("createChatCompletion", streamed=False)
ONE = answered("createChatCompletion", probes="chat.plain")  # one example is enough for a note


# ------------------------------------------------------------------------------------------------ reading


def _count(value: Any) -> int | None:
    """A whole number as it is, None for anything else (True is no number)."""
    return value if type(value) is int else None


def _object(exchange: Exchange) -> dict[str, Any]:
    body = exchange.json
    if not isinstance(body, dict):
        raise Inconclusive("the answer is not a JSON object")
    return body


def _choices(exchange: Exchange) -> list[dict[str, Any]]:
    choices = _object(exchange).get("choices")
    if not isinstance(choices, list) or not choices or not all(isinstance(choice, dict) for choice in choices):
        raise Inconclusive("`choices` is not a list of objects")
    return choices


def _message(choice: dict[str, Any]) -> dict[str, Any]:
    message = choice.get("message")
    return message if isinstance(message, dict) else {}


def _messages(exchange: Exchange) -> Iterator[tuple[str, dict[str, Any]]]:
    """`(pointer, message)` of each choice that has one."""
    for at, choice in enumerate(_choices(exchange)):
        if isinstance(choice.get("message"), dict):
            yield f"/choices/{at}/message", choice["message"]


def _text(message: dict[str, Any]) -> str:
    return message["content"] if isinstance(message.get("content"), str) else ""


def _first_text(exchange: Exchange) -> str:
    return _text(_message(_choices(exchange)[0]))


def _tokens(exchange: Exchange, name: str) -> int | None:
    """A count of `usage`, None when it is missing or no whole number."""
    usage = _object(exchange).get("usage")
    return _count(usage.get(name)) if isinstance(usage, dict) else None


def _reasoning(exchange: Exchange) -> int:
    """Completion tokens that are not part of the text, as far as the backend says."""
    usage = _object(exchange).get("usage")
    details = usage.get("completion_tokens_details") if isinstance(usage, dict) else None
    return (_count(details.get("reasoning_tokens")) or 0) if isinstance(details, dict) else 0


def _stops(asked: dict[str, Any]) -> list[str]:
    stop = asked.get("stop")
    return [one for one in (stop if isinstance(stop, list) else [stop]) if isinstance(one, str) and one]


def _asked_choices(asked: dict[str, Any]) -> int:
    return _count(asked.get("n")) or 1


def _cut(text: str, stops: Sequence[str]) -> str | None:
    """`text` up to the first stop sequence in it; None when there is none."""
    ends = [text.index(stop) for stop in stops if stop in text]
    return text[: min(ends)] if ends else None


def _by_probe(exchanges: Sequence[Exchange]) -> tuple[Exchange, list[Exchange]]:
    """The latest `chat.plain`, and the others."""
    plain = [exchange for exchange in exchanges if exchange.probe == "chat.plain"]
    if not plain:
        raise NotApplicable("chat.plain was not answered, so there is nothing to compare with")
    return plain[-1], [exchange for exchange in exchanges if exchange.probe != "chat.plain"]


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
    for violation in schema.violations(exchange.json):
        missing = re.fullmatch(r"a key '(.+)'", violation.expected) if violation.keyword == "required" else None
        place = f"{violation.pointer}/{missing[1]}" if missing else violation.pointer
        if not JUDGED_ELSEWHERE.fullmatch(place):
            expect(False, expected=violation.expected, got=violation.got, at=violation.pointer)


@clause("chat.object", level="MUST", source="SPEC CreateChatCompletionResponse.object", on=WHOLE)
def object_literal(exchange: Exchange) -> None:
    """`object` is `chat.completion`."""
    got = _object(exchange).get("object")
    expect(got == "chat.completion", expected='"chat.completion"', got=shown(got), at="/object")


@clause("chat.id", level="MUST", source="SPEC CreateChatCompletionResponse.id", on=WHOLE)
def id_is_there(exchange: Exchange) -> None:
    """Every completion has an `id`, a string that is not empty."""
    got = _object(exchange).get("id")
    expect(isinstance(got, str) and bool(got.strip()), expected="a non-empty string", got=shown(got), at="/id")


@clause(
    "chat.id-unique",
    level="MUST",
    source="SPEC CreateChatCompletionResponse.id: a unique identifier",
    on=sequence(WHOLE),
)
def ids_are_unique(exchanges: list[Exchange]) -> None:
    """No two completions share an `id`, not even answers to the same question."""
    seen: dict[str, Exchange] = {}
    for exchange in exchanges:
        id = _id(exchange)
        if id is None:
            continue
        first = seen.setdefault(id, exchange)
        expect(
            first is exchange,
            expected=f"an id that no other answer has ({first.id} has this one)",
            got=id,
            at=f"{exchange.id} /id",
        )
    if len(seen) < 2:
        raise NotApplicable("fewer than two completions with an id")


def _id(exchange: Exchange) -> str | None:
    try:
        body = exchange.json
    except Undecodable:
        return None
    id = body.get("id") if isinstance(body, dict) else None
    return id if isinstance(id, str) and id else None


# Prefixes by which people and tools tell objects apart in logs. Source: SPEC examples.
OF_ANOTHER_KIND = re.compile(r"(cmpl-|resp_|msg_|call_|fc_|req_|embd-|batch_|file-)")


@clause("chat.id-kind", level="SHOULD", source="SPEC CreateChatCompletionResponse example", on=WHOLE)
def id_of_the_right_kind(exchange: Exchange) -> None:
    """An `id` does not carry the prefix of another kind of object, such as `cmpl-` or `req_`."""
    got = _known_id(exchange)
    expect(OF_ANOTHER_KIND.match(got) is None, expected="no prefix of another kind of object", got=got, at="/id")


@clause("chat.id-prefix", level="MAY", source="SPEC CreateChatCompletionResponse example", on=ONE)
def id_prefix(exchange: Exchange) -> None:
    """An `id` begins with `chatcmpl-`."""
    got = _known_id(exchange)
    expect(got.startswith("chatcmpl-"), expected="chatcmpl-...", got=got, at="/id")


def _known_id(exchange: Exchange) -> str:
    id = _id(exchange)
    if id is None:
        raise Inconclusive("the answer has no id")
    return id


# A clock may be off, an answer may come from a cache of today; milliseconds are off by a factor of a thousand.
CREATED_WITHIN_S = 24 * 3600


@clause("chat.created", level="MUST", source="SPEC CreateChatCompletionResponse.created", on=WHOLE)
def created_is_now(exchange: Exchange) -> None:
    """`created` is the moment of the answer in whole Unix seconds."""
    got = _count(_object(exchange).get("created"))
    now = exchange.started_unix
    expect(
        got is not None and abs(got - now) <= CREATED_WITHIN_S,
        expected=f"a whole number within a day of {now:.0f}",
        got=shown(_object(exchange).get("created")),
        at="/created",
    )


PATH_LIKE = re.compile(r"[/~\\]|\.{1,2}[/\\]|file:|[A-Za-z]:[/\\]|.*\.(gguf|ggml|safetensors|bin|pth?|onnx)$", re.I)


@clause("chat.model", level="SHOULD", source="SPEC CreateChatCompletionResponse.model", on=WHOLE)
def model_is_named(exchange: Exchange) -> None:
    """`model` names what answered: the name asked for, its snapshot or alias, never a path of the server's disk."""
    got = _object(exchange).get("model")
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
    on=answered("createChatCompletion", streamed=False, asks=lambda body: _asked_choices(body) == 1),
)
def one_choice(exchange: Exchange) -> None:
    """An answer has one choice, `index` 0, unless `n` asks for more."""
    _expect_indices(exchange, 1)


@clause(
    "chat.n",
    level="MUST",
    source="SPEC CreateChatCompletionRequest.n",
    on=answered("createChatCompletion", streamed=False, asks=lambda body: _asked_choices(body) > 1),
)
def one_choice_for_each_n(exchange: Exchange) -> None:
    """`n: 2` brings two choices, told apart by `index` 0 and 1."""
    _expect_indices(exchange, _asked_choices(exchange.request.asked))


def _expect_indices(exchange: Exchange, most: int) -> None:
    choices = _object(exchange).get("choices")
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
    for at, message in _messages(exchange):
        got = message.get("role")
        expect(got == "assistant", expected='"assistant"', got=_told(message, "role"), at=f"{at}/role")


@clause("chat.content", level="MUST", source="SPEC ChatCompletionResponseMessage.content", on=WHOLE)
def content_is_text_or_null(exchange: Exchange) -> None:
    """Every message has the key `content`: a string or null, never a list of parts.

    Messages with tool calls are judged by `chat.tools.content-key`.
    """
    plain = [(at, message) for at, message in _messages(exchange) if not message.get("tool_calls")]
    if not plain:
        raise NotApplicable("every message has tool calls")
    for at, message in plain:
        got = message.get("content")
        held = "content" in message and (got is None or isinstance(got, str))
        expect(held, expected="a string or null", got=_told(message, "content"), at=f"{at}/content")


def _told(message: dict[str, Any], key: str) -> str:
    return shown(message[key]) if key in message else f"no key {key!r}, only {shown(sorted(message))}"


# Fewer tokens can be a stray space or an end mark.
ENOUGH_TOKENS = 4


@clause(
    "chat.text",
    level="SHOULD",
    source="SPEC ChatCompletionResponseMessage.content",
    on=answered("createChatCompletion", streamed=False, asks=lambda body: not _stops(body) and not body.get("tools")),
    model="some-output",
)
def text_is_not_lost(exchange: Exchange) -> None:
    """A finished answer that cost tokens says something."""
    choices = _choices(exchange)
    message = _message(choices[0])
    spent = (_tokens(exchange, "completion_tokens") or 0) - _reasoning(exchange)
    if len(choices) != 1 or choices[0].get("finish_reason") != "stop" or spent < ENOUGH_TOKENS:
        raise NotApplicable("no answer that ended by itself is long enough")
    if any(message.get(key) for key in ("refusal", "audio", "tool_calls", "function_call")):
        raise NotApplicable("the answer is a refusal, audio or a call")
    expect(bool(_text(message)), expected=f"the text of {spent} tokens", got=shown(message), at="/choices/0/message")


# A model's control marks: reasoning that was not taken out, or the template that was not undone.
LEAKED = re.compile(r"</?think(ing)?>|<\|[a-z_]{2,40}\|>|\[/?INST\]|<(start|end)_of_turn>|<</?SYS>>", re.I)


@clause(
    "chat.leaks", level="SHOULD", source="SPEC ChatCompletionResponseMessage.content", on=WHOLE, model="some-output"
)
def content_is_the_answer_only(exchange: Exchange) -> None:
    """`content` is the answer alone: no `<think>` block, no token of the prompt template.

    Reasoning that is shown to users as text is the usual sign of a server started without its reasoning parser.
    """
    question = exchange.request.body.decode("utf-8", "replace")
    for at, message in _messages(exchange):
        leaked = LEAKED.search(_text(message))
        if leaked and leaked[0] not in question:
            expect(False, expected="the answer only", got=shown(_text(message)), at=f"{at}/content")


@clause("chat.nullable-keys", level="MAY", source="SPEC CreateChatCompletionResponse (required)", on=ONE)
def nullable_keys_are_there(exchange: Exchange) -> None:
    """`logprobs` of a choice and `refusal` of a message are there even when they are null."""
    for at, choice in enumerate(_choices(exchange)):
        expect("logprobs" in choice, expected="a key 'logprobs'", got=shown(sorted(choice)), at=f"/choices/{at}")
        message = _message(choice)
        expect(
            "refusal" in message,
            expected="a key 'refusal'",
            got=shown(sorted(message)),
            at=f"/choices/{at}/message",
        )


TIERS = (None, "auto", "default", "flex", "scale", "priority", "fast")


@clause("chat.service-tier", level="MAY", source="SPEC ServiceTier", on=WHOLE)
def service_tier_is_known(exchange: Exchange) -> None:
    """`service_tier`, where it is told, is one of the documented tiers."""
    got = _object(exchange).get("service_tier")
    expect(got in TIERS, expected=f"one of {shown(TIERS[1:])}", got=shown(got), at="/service_tier")


# ------------------------------------------------------------------------------------------- why it ended


@clause("chat.finish-reason", level="MUST", source="SPEC CreateChatCompletionResponse.choices.finish_reason", on=WHOLE)
def finish_reason_is_known(exchange: Exchange) -> None:
    """Every choice ends for one of five reasons: stop, length, tool_calls, content_filter, function_call.

    Clients branch on these words; `"STOP"`, `"eos"`, `"end_turn"` and null fall through every branch.
    """
    for at, choice in enumerate(_choices(exchange)):
        got = choice.get("finish_reason")
        expect(
            got in FINISH_REASONS,
            expected=f"one of {shown(FINISH_REASONS)}",
            got=_told(choice, "finish_reason"),
            at=f"/choices/{at}/finish_reason",
        )


CUT_SHORT = answered("createChatCompletion", streamed=False, probes=("chat.plain", "chat.cap", "chat.cap-completion"))


@clause(
    "chat.finish-length",
    level="MUST",
    source="SPEC CreateChatCompletionResponse.choices.finish_reason",
    on=sequence(CUT_SHORT),
    model="some-output",
)
def cut_text_says_length(exchanges: list[Exchange]) -> None:
    """A text that the token limit cut short ends with `finish_reason: length`.

    With `stop` there, a client takes half a sentence for the whole answer.
    """
    plain, others = _by_probe(exchanges)
    whole = _first_text(plain)
    judged = 0
    for other in others:
        text, spent = _first_text(other), _tokens(other, "completion_tokens")
        was_cut = text != whole and whole.startswith(text) and (bool(text.strip()) or (spent or 0) >= _cap(other))
        if was_cut:
            got = _choices(other)[0].get("finish_reason")
            expect(
                got in ("length", "content_filter"),
                expected='"length": chat.plain shows how the text goes on',
                got=shown(got),
                at=f"{other.id} /choices/0/finish_reason",
            )
            judged += 1
    if not judged:
        raise NotApplicable("no text was the beginning of another: nothing was cut, or the backend varies")


@clause(
    "chat.cap-cuts",
    level="MUST",
    source="SPEC CreateChatCompletionRequest.max_tokens, max_completion_tokens",
    on=sequence(CUT_SHORT),
    model="some-output",
)
def cap_takes_effect(exchanges: list[Exchange]) -> None:
    """A text of more tokens than the limit is not returned whole, whatever `usage` says."""
    plain, others = _by_probe(exchanges)
    whole = _first_text(plain)
    spent = (_tokens(plain, "completion_tokens") or 0) - _reasoning(plain)
    judged = 0
    for other in others:
        if whole and spent > _cap(other):
            expect(
                _first_text(other) != whole,
                expected=f"less than the {spent} tokens of chat.plain, at most {_cap(other)}",
                got=shown(whole),
                at=f"{other.id} /choices/0/message/content",
            )
            judged += 1
    if not judged:
        raise NotApplicable("the whole answer is no longer than the limit")


def _cap(exchange: Exchange) -> int:
    asked = exchange.request.asked
    caps = [_count(asked.get(name)) for name in ("max_tokens", "max_completion_tokens")]
    return min((cap for cap in caps if cap), default=1)


@clause(
    "chat.length-at-cap",
    level="SHOULD",
    source="SPEC CreateChatCompletionResponse.choices.finish_reason",
    on=answered(
        "createChatCompletion",
        streamed=False,
        asks=lambda body: (
            _asked_choices(body) == 1
            and any((_count(body.get(name)) or 0) > 2 for name in ("max_tokens", "max_completion_tokens"))
        ),
    ),
)
def length_means_the_cap(exchange: Exchange) -> None:
    """`finish_reason: length` means that the tokens asked for were used up."""
    spent, cap = _tokens(exchange, "completion_tokens"), _cap(exchange)
    if _choices(exchange)[0].get("finish_reason") != "length" or spent is None:
        raise NotApplicable("no answer ended with length")
    # Two tokens of slack: some servers do not count the mark that opens or ends an answer.
    expect(
        spent + 2 >= cap,
        expected=f"{cap} tokens, or another finish_reason",
        got=f"finish_reason length after {spent} tokens",
        at="/choices/0/finish_reason",
    )


@clause(
    "chat.max-tokens",
    level="MUST",
    source="SPEC CreateChatCompletionRequest.max_tokens",
    on=answered("createChatCompletion", streamed=False, asks=lambda body: (_count(body.get("max_tokens")) or 0) > 0),
)
def max_tokens_is_a_limit(exchange: Exchange) -> None:
    """A choice has at most `max_tokens` tokens, reasoning apart."""
    _expect_within(exchange, "max_tokens", _reasoning(exchange))


@clause(
    "chat.max-completion-tokens",
    level="MUST",
    source="SPEC CreateChatCompletionRequest.max_completion_tokens",
    on=answered(
        "createChatCompletion", streamed=False, asks=lambda body: (_count(body.get("max_completion_tokens")) or 0) > 0
    ),
)
def max_completion_tokens_is_a_limit(exchange: Exchange) -> None:
    """A choice has at most `max_completion_tokens` tokens, reasoning included."""
    _expect_within(exchange, "max_completion_tokens", 0)


def _expect_within(exchange: Exchange, name: str, aside: int) -> None:
    spent = _tokens(exchange, "completion_tokens")
    if spent is None:
        raise Inconclusive("the answer does not say how many tokens it has")
    choices = max(len(_choices(exchange)), _asked_choices(exchange.request.asked))
    most = exchange.request.asked[name] * choices
    expect(
        spent - aside <= most,
        expected=f"at most {most} completion tokens ({choices} choices of {exchange.request.asked[name]})",
        got=f"{spent}",
        at="/usage/completion_tokens",
    )


# --------------------------------------------------------------------------------------------------- stop


@clause(
    "chat.stop",
    level="MUST",
    source="SPEC CreateChatCompletionRequest.stop",
    on=answered("createChatCompletion", streamed=False, asks=lambda body: bool(_stops(body))),
    model="some-output",
)
def stop_never_appears(exchange: Exchange) -> None:
    """No sequence of `stop` appears in the returned text, the later ones of a list no more than the first."""
    for at, message in _messages(exchange):
        for stop in _stops(exchange.request.asked):
            text = _text(message)
            expect(
                stop not in text,
                expected=f"text that ends before {shown(stop)}",
                got=shown(text),
                at=f"{at}/content",
            )


STOPPED = answered(
    "createChatCompletion", streamed=False, probes=("chat.plain", "chat.plain-again", "chat.stop", "chat.stop-list")
)


@clause(
    "chat.stop-finish",
    level="MUST",
    source="SPEC CreateChatCompletionResponse.choices.finish_reason: a natural stop point or a stop sequence",
    on=sequence(STOPPED),
    model="some-output",
)
def stop_ends_with_stop(exchanges: list[Exchange]) -> None:
    """A text that a stop sequence ended has `finish_reason: stop`."""
    judged = 0
    for stopped, kept in _stopped(exchanges):
        if _first_text(stopped).rstrip() == kept.rstrip():
            got = _choices(stopped)[0].get("finish_reason")
            expect(got == "stop", expected='"stop"', got=shown(got), at=f"{stopped.id} /choices/0/finish_reason")
            judged += 1
    if not judged:
        raise NotApplicable("no text ended where its stop sequence stands in chat.plain")


@clause(
    "chat.stop-keeps",
    level="SHOULD",
    source="SPEC CreateChatCompletionRequest.stop: the text will not contain the stop sequence",
    on=sequence(STOPPED),
    model="some-output",
)
def stop_loses_nothing(exchanges: list[Exchange]) -> None:
    """A stop sequence takes away itself and what follows, nothing of what came before."""
    texts = {_first_text(exchange) for exchange in exchanges if exchange.probe in ("chat.plain", "chat.plain-again")}
    if len(texts) != 1:
        raise NotApplicable("the backend does not repeat itself at temperature 0")
    judged = 0
    for stopped, kept in _stopped(exchanges):
        text = _first_text(stopped)
        if kept.startswith(text.rstrip()):
            expect(
                text.rstrip() == kept.rstrip(),
                expected=f"{shown(kept)}, as chat.plain begins",
                got=shown(text),
                at=f"{stopped.id} /choices/0/message/content",
            )
            judged += 1
    if not judged:
        raise NotApplicable("no text began as chat.plain does")


def _stopped(exchanges: Sequence[Exchange]) -> Iterator[tuple[Exchange, str]]:
    """Each exchange whose stop sequence occurs in the text of `chat.plain`, and what it should keep of that."""
    plain, others = _by_probe(exchanges)
    whole = _first_text(plain)
    for other in others:
        kept = _cut(whole, _stops(other.request.asked))
        if kept is not None:
            yield other, kept


# -------------------------------------------------------------------------------------------- what is asked


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
    first, second = _tokens(plain, "prompt_tokens"), _tokens(parts, "prompt_tokens")
    if first is None or second is None:
        raise Inconclusive("the answers do not say how many tokens the prompt has")
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
    first, second = _tokens(plain, "prompt_tokens"), _tokens(nulls, "prompt_tokens")
    if first is None or second is None:
        raise Inconclusive("the answers do not say how many tokens the prompt has")
    expect(
        first == second,
        expected=f"{first} prompt tokens, as without the nulls",
        got=f"{second}",
        at="/usage/prompt_tokens",
    )


NOT_NOW = (401, 402, 403, 404, 408, 409, 413, 429, 502, 503, 504, 529)
UNSUPPORTED = re.compile(r"unsupported|(?:not|n't)[ _](?:yet )?(?:support|available|implemented|allowed)", re.I)


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
    status = exchange.status or 0
    if 200 <= status < 300:
        return
    if status in NOT_NOW:
        raise NotApplicable(f"{exchange.probe} was answered {status}, which says nothing about the request")
    if status == 501 or UNSUPPORTED.search(_said(exchange)):
        raise NotApplicable(f"{exchange.probe} is not supported: {_said(exchange)[:160]}")
    expect(False, expected="an answer, or a refusal as unsupported", got=f"{status} {_said(exchange)[:160]}")


def _said(exchange: Exchange) -> str:
    """Code and message of an error, else the body as it came."""
    try:
        error = exchange.json["error"]
        return f"{error.get('code')}: {error['message']}"
    except (Undecodable, LookupError, TypeError, AttributeError):
        return exchange.wire[:200].decode("utf-8", "replace")
