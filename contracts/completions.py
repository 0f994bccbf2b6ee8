"""Legacy completions: text goes on after a prompt, plain or streamed. Tokens are counted in `usage.py`.

Backends without the endpoint, and models that only chat, are not judged. `[DONE]` and the framing of streams
are judged in `sse.py`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
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
    parse_json,
    probe,
    sent,
    sequence,
    shown,
)

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
    _complete("completions.stream", _ask(stream=True, stream_options={"include_usage": True}), "the same, streamed"),
    _complete(
        "completions.batch",
        _ask(prompt=[PROMPT, "Count from 1 to 50:"], n=2, max_tokens=3, temperature=1),
        "two prompts, two choices each",
    ),
)

FINISH_REASONS = ("stop", "length", "content_filter")
ANY = answered("createCompletion")
WHOLE = answered("createCompletion", streamed=False)
STREAM = answered("createCompletion", streamed=True)
MINE = ("completions.plain", "completions.echo", "completions.stream")


# ------------------------------------------------------------------------------------------------ reading


def _count(value: Any) -> int | None:
    return value if type(value) is int else None


def _number(value: Any) -> float | None:
    return float(value) if type(value) in (int, float) and math.isfinite(value) else None


def _objects(exchange: Exchange) -> Iterator[tuple[int | None, dict[str, Any]]]:
    """`(event, object)`: the answer, or each chunk of a stream with the number of its event."""
    if not exchange.streamed:
        if not isinstance(exchange.json, dict):
            raise Inconclusive("the answer is not a JSON object")
        yield None, exchange.json
        return
    found = False
    for number, event in enumerate(exchange.events):
        if event.data is None or event.is_done:
            continue
        try:
            chunk = parse_json(event.data)
        except Undecodable:
            continue
        if isinstance(chunk, dict) and "error" not in chunk:
            found = True
            yield number, chunk
    if not found:
        raise Inconclusive("the stream has no chunk that can be read")


def _choices(exchange: Exchange) -> Iterator[tuple[int | None, str, dict[str, Any]]]:
    """`(event, pointer, choice)` of all choices in the answer or its chunks."""
    for number, body in _objects(exchange):
        choices = body.get("choices")
        for at, choice in enumerate(choices if isinstance(choices, list) else []):
            if isinstance(choice, dict):
                yield number, f"/choices/{at}", choice


def _texts(exchange: Exchange) -> dict[Any, str]:
    """The text of each choice by index, put together if it was streamed."""
    texts: dict[Any, str] = {}
    for _, _, choice in _choices(exchange):
        index = _count(choice.get("index"))
        texts.setdefault(index, "")
        if isinstance(choice.get("text"), str):
            texts[index] += choice["text"]
    return texts


def _first_text(exchange: Exchange) -> str:
    return _texts(exchange).get(0, "")


def _added(exchange: Exchange) -> str:
    """What the first choice adds to the prompt."""
    text, prompt = _first_text(exchange), exchange.request.asked.get("prompt")
    if exchange.request.asked.get("echo") is True and isinstance(prompt, str):
        return text.removeprefix(prompt)
    return text


def _usage(exchange: Exchange, name: str) -> int | None:
    for _, body in _objects(exchange):
        usage = body.get("usage")
        if isinstance(usage, dict):
            return _count(usage.get(name))
    return None


def _stops(asked: dict[str, Any]) -> list[str]:
    stop = asked.get("stop")
    return [one for one in (stop if isinstance(stop, list) else [stop]) if isinstance(one, str) and one]


def _prompts(asked: dict[str, Any]) -> list[Any]:
    """The prompts of a request; a list of numbers is one prompt of tokens."""
    prompt = asked.get("prompt")
    if not isinstance(prompt, list) or not prompt or any(type(one) is int for one in prompt):
        return [prompt]
    return prompt


def _asked_choices(asked: dict[str, Any]) -> int:
    return max(1, _count(asked.get("n")) or 1) * len(_prompts(asked))


def _cut(text: str, stops: Sequence[str]) -> str | None:
    """`text` up to the first stop sequence in it; None when there is none."""
    ends = [text.index(stop) for stop in stops if stop in text]
    return text[: min(ends)] if ends else None


def _told(body: dict[str, Any], key: str) -> str:
    return shown(body[key]) if key in body else f"no key {key!r}, only {shown(sorted(body))}"


def _by_probe(exchanges: Sequence[Exchange]) -> dict[str, Exchange]:
    found = {exchange.probe: exchange for exchange in exchanges}
    if "completions.plain" not in found:
        raise NotApplicable("completions.plain was not answered, so there is nothing to compare with")
    return found


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
    bodies: Iterable[tuple[int | None, Any]] = _objects(exchange) if exchange.streamed else [(None, exchange.json)]
    for event, body in bodies:
        for violation in schema.violations(body):
            missing = re.fullmatch(r"a key '(.+)'", violation.expected) if violation.keyword == "required" else None
            place = f"{violation.pointer}/{missing[1]}" if missing else violation.pointer
            if not JUDGED_ELSEWHERE.fullmatch(place):
                expect(False, expected=violation.expected, got=violation.got, at=violation.pointer, event=event)


@clause("completions.object", level="MUST", source="SPEC CreateCompletionResponse.object", on=ANY)
def object_literal(exchange: Exchange) -> None:
    """`object` is `text_completion`, in an answer as in every chunk."""
    for event, body in _objects(exchange):
        got = body.get("object")
        expect(
            got == "text_completion", expected='"text_completion"', got=_told(body, "object"), at="/object", event=event
        )


@clause("completions.id", level="MUST", source="SPEC CreateCompletionResponse.id", on=ANY)
def id_is_there(exchange: Exchange) -> None:
    """Every completion has an `id`, a string that is not empty, in an answer as in every chunk."""
    for event, body in _objects(exchange):
        got = body.get("id")
        held = isinstance(got, str) and bool(got.strip())
        expect(held, expected="a non-empty string", got=_told(body, "id"), at="/id", event=event)


@clause(
    "completions.id-unique",
    level="MUST",
    source="SPEC CreateCompletionResponse.id: a unique identifier",
    on=sequence(ANY),
)
def ids_are_unique(exchanges: list[Exchange]) -> None:
    """No two completions share an `id`."""
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
        _, body = next(_objects(exchange))
    except (Undecodable, Inconclusive, StopIteration):
        return None
    return body["id"] if isinstance(body.get("id"), str) and body["id"] else None


# Prefixes by which people and tools tell objects apart in logs. Source: SPEC examples.
OF_ANOTHER_KIND = re.compile(r"(chatcmpl-|resp_|msg_|call_|fc_|req_|embd-|batch_|file-)")


@clause("completions.id-kind", level="SHOULD", source="SPEC CreateCompletionResponse example", on=ANY)
def id_of_the_right_kind(exchange: Exchange) -> None:
    """An `id` does not carry the prefix of another kind of object, such as `chatcmpl-`; completions have `cmpl-`."""
    got = _id(exchange)
    if got is None:
        raise Inconclusive("the answer has no id")
    expect(OF_ANOTHER_KIND.match(got) is None, expected="no prefix of another kind of object", got=got, at="/id")


# A clock may be off, an answer may come from a cache of today; milliseconds are off by a factor of a thousand.
CREATED_WITHIN_S = 24 * 3600


@clause("completions.created", level="MUST", source="SPEC CreateCompletionResponse.created", on=ANY)
def created_is_now(exchange: Exchange) -> None:
    """`created` is the moment of the answer in whole Unix seconds, in an answer as in every chunk."""
    now = exchange.started_unix
    for event, body in _objects(exchange):
        got = _count(body.get("created"))
        expect(
            got is not None and abs(got - now) <= CREATED_WITHIN_S,
            expected=f"a whole number within a day of {now:.0f}",
            got=_told(body, "created"),
            at="/created",
            event=event,
        )


PATH_LIKE = re.compile(r"[/~\\]|\.{1,2}[/\\]|file:|[A-Za-z]:[/\\]|.*\.(gguf|ggml|safetensors|bin|pth?|onnx)$", re.I)


@clause("completions.model", level="MUST", source="SPEC CreateCompletionResponse.model", on=ANY)
def model_is_named(exchange: Exchange) -> None:
    """`model` is a name, in an answer as in every chunk."""
    for event, body in _objects(exchange):
        got = body.get("model")
        held = isinstance(got, str) and bool(got.strip())
        expect(held, expected="a model's name", got=_told(body, "model"), at="/model", event=event)


@clause("completions.model-path", level="SHOULD", source="SPEC CreateCompletionResponse.model", on=ANY)
def model_is_no_path(exchange: Exchange) -> None:
    """`model` is the name asked for or what it stands for, never a path of the server's disk."""
    for event, body in _objects(exchange):
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
    "completions.choices",
    level="MUST",
    source="SPEC CreateCompletionRequest.n, prompt",
    on=ANY,
)
def one_choice_for_each_n_and_prompt(exchange: Exchange) -> None:
    """There are `n` choices for each prompt of a list, told apart by `index` from 0 on."""
    expected = list(range(_asked_choices(exchange.request.asked)))
    indices = [choice.get("index") for _, _, choice in _choices(exchange)]
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
    for event, at, choice in _choices(exchange):
        got = choice.get("text")
        expect(isinstance(got, str), expected="a string", got=_told(choice, "text"), at=f"{at}/text", event=event)


# ------------------------------------------------------------------------------------------- why it ended


@clause(
    "completions.finish-reason", level="MUST", source="SPEC CreateCompletionResponse.choices.finish_reason", on=WHOLE
)
def finish_reason_is_known(exchange: Exchange) -> None:
    """Every choice ends for one of three reasons: stop, length, content_filter."""
    for event, at, choice in _choices(exchange):
        expect(
            choice.get("finish_reason") in FINISH_REASONS,
            expected=f"one of {shown(FINISH_REASONS)}",
            got=_told(choice, "finish_reason"),
            at=f"{at}/finish_reason",
            event=event,
        )


@clause(
    "completions.finish-length",
    level="MUST",
    source="SPEC CreateCompletionResponse.choices.finish_reason",
    on=answered("createCompletion", streamed=False, asks=lambda body: (_count(body.get("max_tokens")) or 0) > 0),
    model="some-output",
)
def cut_text_says_length(exchange: Exchange) -> None:
    """A text of exactly `max_tokens` tokens that no stop sequence ended has `finish_reason: length`.

    Judged where several choices used all their tokens: one of them may have ended by itself just there, not all.
    """
    asked = exchange.request.asked
    choices = [choice for _, _, choice in _choices(exchange)]
    most = asked["max_tokens"] * len(choices)
    if _stops(asked) or len(choices) < 2 or _usage(exchange, "completion_tokens") != most:
        raise NotApplicable("no answer with several choices used all its tokens")
    got = [choice.get("finish_reason") for choice in choices]
    expect(
        any(reason != "stop" for reason in got),
        expected='"length" where the limit ended the text',
        got=shown(got),
        at="/choices/0/finish_reason",
    )


@clause(
    "completions.max-tokens",
    level="MUST",
    source="SPEC CreateCompletionRequest.max_tokens",
    on=answered(
        "createCompletion",
        asks=lambda body: (_count(body.get("max_tokens")) or 0) > 0 and not (_count(body.get("best_of")) or 0) > 1,
    ),
)
def max_tokens_is_a_limit(exchange: Exchange) -> None:
    """A choice has at most `max_tokens` tokens; the prompt, echoed or not, is not among them."""
    spent = _usage(exchange, "completion_tokens")
    if spent is None:
        raise NotApplicable("the answer does not say how many tokens it has")
    asked = exchange.request.asked
    most = asked["max_tokens"] * _asked_choices(asked)
    expect(spent <= most, expected=f"at most {most} completion tokens", got=f"{spent}", at="/usage/completion_tokens")


# ------------------------------------------------------------------------------------------- stop and echo


@clause(
    "completions.stop",
    level="MUST",
    source="SPEC CreateCompletionRequest.stop",
    on=answered("createCompletion", asks=lambda body: bool(_stops(body)) and isinstance(body.get("prompt"), str)),
    model="some-output",
)
def stop_never_appears(exchange: Exchange) -> None:
    """No sequence of `stop` appears in what is added to the prompt, the later ones of a list no more than the first."""
    added = _added(exchange)
    for stop in _stops(exchange.request.asked):
        expect(
            stop not in added,
            expected=f"text that ends before {shown(stop)}",
            got=shown(added),
            at="/choices/0/text",
        )


@clause(
    "completions.stop-finish",
    level="MUST",
    source="SPEC CreateCompletionResponse.choices.finish_reason: a natural stop point or a stop sequence",
    on=sequence(answered("createCompletion", probes=MINE[:2])),
    model="some-output",
)
def stop_ends_with_stop(exchanges: list[Exchange]) -> None:
    """A text that a stop sequence ended has `finish_reason: stop`."""
    found = _by_probe(exchanges)
    stopped = found.get("completions.echo")
    if stopped is None:
        raise NotApplicable("completions.echo was not answered")
    kept = _cut(_first_text(found["completions.plain"]), _stops(stopped.request.asked))
    if kept is None or _added(stopped).rstrip() != kept.rstrip():
        raise NotApplicable("the text did not end where its stop sequence stands in completions.plain")
    got = next((choice.get("finish_reason") for _, _, choice in _choices(stopped)), None)
    expect(got == "stop", expected='"stop"', got=shown(got), at=f"{stopped.id} /choices/0/finish_reason")


@clause(
    "completions.echo",
    level="MUST",
    source="SPEC CreateCompletionRequest.echo",
    on=answered("createCompletion", asks=lambda body: body.get("echo") is True and isinstance(body.get("prompt"), str)),
)
def echo_begins_with_the_prompt(exchange: Exchange) -> None:
    """With `echo: true` the text begins with the prompt."""
    prompt = exchange.request.asked["prompt"]
    for index, text in _texts(exchange).items():
        # A tokenizer may put a blank in front, or take it away.
        held = text.strip().startswith(prompt.strip())
        expect(held, expected=f"text that begins with {shown(prompt)}", got=shown(text), at=f"/choices/{index}/text")


@clause(
    "completions.echo-unasked",
    level="MUST",
    source="SPEC CreateCompletionRequest.echo (default false)",
    on=answered(
        "createCompletion",
        asks=lambda body: (
            not body.get("echo") and isinstance(body.get("prompt"), str) and len(body["prompt"].split()) >= 5
        ),
    ),
    model="some-output",
)
def no_echo_unless_asked(exchange: Exchange) -> None:
    """Without `echo` the text does not begin with the prompt.

    Clients join prompt and text; the prompt would stand there twice.
    """
    prompt = exchange.request.asked["prompt"].strip()
    for index, text in _texts(exchange).items():
        expect(
            not text.strip().startswith(prompt),
            expected="only what goes on after the prompt",
            got=shown(text),
            at=f"/choices/{index}/text",
        )


# ----------------------------------------------------------------------------------------------- logprobs


def _asks_logprobs(body: dict[str, Any]) -> bool:
    return (_count(body.get("logprobs")) or 0) > 0


ASKED_LOGPROBS = answered("createCompletion", streamed=False, asks=_asks_logprobs)
LISTS = ("tokens", "token_logprobs", "top_logprobs", "text_offset")
# Rounding of a probability of one, in half precision.
EPSILON = 0.005


def _logprobs(exchange: Exchange) -> list[tuple[str, dict[str, Any], str]]:
    """`(pointer, logprobs, text)` of the choices that have the documented lists."""
    found = []
    for _, at, choice in _choices(exchange):
        logprobs, text = choice.get("logprobs"), choice.get("text")
        if isinstance(logprobs, dict) and isinstance(logprobs.get("tokens"), list):
            found.append((f"{at}/logprobs", logprobs, text if isinstance(text, str) else ""))
    if not found:
        raise NotApplicable("no choice has log probabilities in the documented shape")
    return found


def _list(logprobs: dict[str, Any], name: str) -> list[Any]:
    return logprobs[name] if isinstance(logprobs.get(name), list) else []


@clause(
    "completions.logprobs",
    level="MUST",
    source="SPEC CreateCompletionResponse.choices.logprobs",
    on=ASKED_LOGPROBS,
    model="some-output",
)
def logprobs_are_four_lists(exchange: Exchange) -> None:
    """`logprobs: 2` brings `tokens`, `token_logprobs`, `top_logprobs` and `text_offset`, one row a token.

    The shape is that of legacy completions, four lists side by side, not the `content` of chat.
    """
    for _, at, choice in _choices(exchange):
        found, text = choice.get("logprobs"), choice.get("text")
        if not text:
            continue
        logprobs = found if isinstance(found, dict) else {}
        expect(
            bool(logprobs),
            expected=f"an object with {shown(LISTS)}",
            got=_told(choice, "logprobs"),
            at=f"{at}/logprobs",
        )
        for name in LISTS:
            expect(
                isinstance(logprobs.get(name), list),
                expected=f"a list {name}",
                got=_told(logprobs, name),
                at=f"{at}/logprobs/{name}",
            )
        sizes = {name: len(logprobs[name]) for name in LISTS}
        expect(
            len(set(sizes.values())) == 1 and sizes["tokens"] > 0,
            expected="four lists of the same length",
            got=shown(sizes),
            at=f"{at}/logprobs",
        )


@clause(
    "completions.logprobs-text",
    level="MUST",
    source="SPEC CreateCompletionResponse.choices.logprobs.tokens",
    on=ASKED_LOGPROBS,
    model="some-output",
)
def tokens_make_the_text(exchange: Exchange) -> None:
    """The tokens put together are the text, from the first to the last."""
    judged = 0
    for at, logprobs, text in _logprobs(exchange):
        tokens = [token for token in _list(logprobs, "tokens") if isinstance(token, str)]
        joined = "".join(tokens)
        # Tokens that are a part of a character are shown in many ways.
        if not tokens or "\ufffd" in joined + text or any(token.startswith("bytes:") for token in tokens):
            continue
        before, found, after = joined.partition(text.strip())
        ended = bool(_stops(exchange.request.asked)) or re.fullmatch(r"(\s|<[^<>\s]{1,40}>)*", after) is not None
        expect(
            bool(found) and not before.strip() and ended,
            expected=f"tokens that make {shown(text)}",
            got=shown(tokens),
            at=f"{at}/tokens",
        )
        judged += 1
    if not judged:
        raise NotApplicable("no tokens that can be put together")


@clause(
    "completions.logprobs-negative",
    level="MUST",
    source="SPEC CreateCompletionResponse.choices.logprobs.token_logprobs",
    on=ASKED_LOGPROBS,
)
def no_logprob_above_zero(exchange: Exchange) -> None:
    """Log probabilities are numbers, none above 0; only the first token of an echoed prompt may have null."""
    echo = exchange.request.asked.get("echo") is True
    for at, logprobs, _ in _logprobs(exchange):
        for number, got in enumerate(_list(logprobs, "token_logprobs")):
            if got is None and number == 0 and echo:
                continue
            known = _number(got)
            expect(
                known is not None and known <= EPSILON,
                expected="a number, at most 0",
                got=shown(got),
                at=f"{at}/token_logprobs/{number}",
            )


@clause(
    "completions.logprobs-top",
    level="MUST",
    source="SPEC CreateCompletionRequest.logprobs (up to logprobs+1 elements)",
    on=ASKED_LOGPROBS,
)
def as_many_candidates_as_asked(exchange: Exchange) -> None:
    """`logprobs: 2` brings the two likeliest candidates of a token, and the chosen one if it is neither."""
    most = exchange.request.asked["logprobs"] + 1
    for at, logprobs, _ in _logprobs(exchange):
        for number, got in enumerate(_list(logprobs, "top_logprobs")):
            if got is None and number == 0:
                continue
            expect(
                isinstance(got, dict)
                and 1 <= len(got) <= most
                and all(value is not None and value <= EPSILON for value in map(_number, got.values())),
                expected=f"an object of 1 to {most} tokens and their logprobs, at most 0",
                got=shown(got),
                at=f"{at}/top_logprobs/{number}",
            )


@clause(
    "completions.logprobs-offset",
    level="SHOULD",
    source="SPEC CreateCompletionResponse.choices.logprobs.text_offset",
    on=ASKED_LOGPROBS,
)
def offsets_follow_the_tokens(exchange: Exchange) -> None:
    """`text_offset` says where each token begins: one after the other, each as far on as the token before is long."""
    for at, logprobs, _ in _logprobs(exchange):
        tokens, offsets = _list(logprobs, "tokens"), _list(logprobs, "text_offset")
        if len(tokens) != len(offsets) or not all(type(offset) is int for offset in offsets):
            continue
        for number in range(1, len(offsets)):
            token, step = tokens[number - 1], offsets[number] - offsets[number - 1]
            plain = isinstance(token, str) and token.isascii() and not token.startswith("bytes:")
            expect(
                step == len(token) if plain else step >= 0,
                expected=f"{offsets[number - 1]} and the length of {shown(token)}",
                got=f"{offsets[number]}",
                at=f"{at}/text_offset/{number}",
            )


@clause(
    "completions.logprobs-unasked",
    level="SHOULD",
    source="SPEC CreateCompletionRequest.logprobs (default null)",
    on=answered("createCompletion", asks=lambda body: body.get("logprobs") is None),
)
def none_when_not_asked(exchange: Exchange) -> None:
    """Without `logprobs` there are no log probabilities: the key is null or absent."""
    for event, at, choice in _choices(exchange):
        expect(
            not choice.get("logprobs"),
            expected="null or absent",
            got=shown(choice.get("logprobs")),
            at=f"{at}/logprobs",
            event=event,
        )


# ----------------------------------------------------------------------------------------------- streamed


@clause("completions.stream.same", level="MUST", source="SPEC CreateCompletionResponse; CAP-2510", on=STREAM)
def chunks_belong_together(exchange: Exchange) -> None:
    """All chunks of a stream carry the same `id`, `created` and `model`."""
    first: dict[str, Any] = {}
    for event, body in _objects(exchange):
        for key in ("id", "created", "model"):
            known = first.setdefault(key, body.get(key))
            expect(body.get(key) == known, expected=shown(known), got=_told(body, key), at=f"/{key}", event=event)


@clause(
    "completions.stream.finish", level="MUST", source="SPEC CreateCompletionResponse.choices.finish_reason", on=STREAM
)
def each_choice_finishes_once(exchange: Exchange) -> None:
    """Each choice has one chunk with a `finish_reason`, null or absent before; no text of it follows."""
    finished: set[Any] = set()
    indices: set[Any] = set()
    for event, at, choice in _choices(exchange):
        index, reason = choice.get("index"), choice.get("finish_reason")
        indices.add(index)
        expect(
            reason is None or reason in FINISH_REASONS,
            expected=f"null or one of {shown(FINISH_REASONS)}",
            got=shown(reason),
            at=f"{at}/finish_reason",
            event=event,
        )
        expect(
            index not in finished or (reason is None and not choice.get("text")),
            expected=f"nothing more of choice {shown(index)}, which had finished",
            got=shown(choice),
            at=at,
            event=event,
        )
        if reason is not None:
            finished.add(index)
    if not indices:
        raise Inconclusive("no chunk has a choice")
    expect(
        finished == indices,
        expected=f"a finish_reason for choice {shown(sorted(indices - finished, key=str))}",
        got="the end of the stream",
    )


WITH_USAGE = answered(
    "createCompletion",
    streamed=True,
    asks=lambda body: (
        isinstance(body.get("stream_options"), dict) and body["stream_options"].get("include_usage") is True
    ),
)


@clause(
    "completions.stream.usage", level="MUST", source="SPEC ChatCompletionStreamOptions.include_usage", on=WITH_USAGE
)
def usage_comes_last(exchange: Exchange) -> None:
    """With `include_usage` one last chunk with empty `choices` has the `usage`."""
    chunks = list(_objects(exchange))
    event, last = chunks[-1]
    expect(
        isinstance(last.get("usage"), dict), expected="a last chunk with usage", got=_told(last, "usage"), event=event
    )
    expect(last.get("choices") == [], expected="[]", got=_told(last, "choices"), at="/choices", event=event)
    usage = last["usage"]
    counts = [_count(usage.get(name)) for name in ("prompt_tokens", "completion_tokens", "total_tokens")]
    whole = [count for count in counts if count is not None]
    expect(
        len(whole) == 3 and whole[0] + whole[1] == whole[2] and whole[0] >= 1,
        expected="prompt_tokens + completion_tokens = total_tokens, whole numbers",
        got=shown(usage),
        at="/usage",
        event=event,
    )


@clause(
    "completions.stream.usage-once",
    level="SHOULD",
    source="SPEC ChatCompletionStreamOptions.include_usage: other chunks carry null",
    on=WITH_USAGE,
)
def usage_comes_once(exchange: Exchange) -> None:
    """With `include_usage` no chunk but the last has counts.

    Clients that add up what they see count twice.
    """
    told = [event for event, body in _objects(exchange) if isinstance(body.get("usage"), dict)]
    expect(len(told) < 2, expected="usage in one chunk", got=f"in {len(told)}", at="/usage", event=(told or [None])[0])


@clause(
    "completions.stream.text",
    level="MUST",
    source="SPEC CreateCompletionRequest.stream",
    on=sequence(answered("createCompletion", probes=MINE)),
    model="some-output",
)
def the_pieces_make_the_text(exchanges: list[Exchange]) -> None:
    """The texts of the chunks put together are the text of the plain answer.

    Judged where the backend repeats itself at temperature 0.
    """
    found = _by_probe(exchanges)
    if len(found) < 3:
        raise NotApplicable("not all three of the same prompt were answered")
    plain, echoed, streamed = (found[name] for name in MINE)
    whole = _first_text(plain)
    again = _added(echoed)
    repeats = again.strip() in (whole.strip(), (_cut(whole, _stops(echoed.request.asked)) or whole).strip())
    if not repeats or not whole:
        raise NotApplicable("the backend does not repeat itself at temperature 0")
    got = _first_text(streamed)
    expect(got.strip() == whole.strip(), expected=shown(whole), got=shown(got), at=f"{streamed.id} /choices/0/text")


# ----------------------------------------------------------------------------------------------- accepted

NOT_SERVED = (404, 405, 501)
NOT_NOW = (401, 402, 403, 408, 409, 413, 429, 502, 503, 504, 529)
UNSUPPORTED = re.compile(r"unsupported|(?:not|n't)[ _](?:yet )?(?:support|available|implemented|allowed)", re.I)
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
    if status in NOT_NOW:
        raise NotApplicable(f"{exchange.probe} was answered {status}, which says nothing about the request")
    if UNSUPPORTED.search(said):
        raise NotApplicable(f"{exchange.probe} is not supported: {said[:160]}")
    expect(False, expected="an answer, or a refusal as unsupported", got=f"{status} {said[:160]}")
