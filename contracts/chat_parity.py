"""A streamed answer against the plain one: the same request, told in two ways.

No request of its own: `chat.plain` and `chat.plain-again` (chat.py) and `chat.stream` (chat_stream.py) send the
same body at temperature 0. What no sampling touches must be equal always; what it touches is compared only
when the two plain answers agree, so that a model which never says the same thing twice raises no finding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wireproof.clause import (
    Exchange,
    Inconclusive,
    NotApplicable,
    Undecodable,
    clause,
    expect,
    parse_json,
    shown,
    together,
)

from ._noise import HALF, expect_repeats, kinds_of
from ._reading import as_object, as_text, choices_in
from ._stream import before_done

PAIR = together("chat.plain", "chat.stream")
TRIO = together("chat.plain", "chat.plain-again", "chat.stream")

# Headers that OpenAI sends with every answer, before the first token of a stream.
HEADERS = (
    "x-request-id",
    "openai-processing-ms",
    "openai-version",
    "x-ratelimit-limit-requests",
    "x-ratelimit-limit-tokens",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-remaining-tokens",
    "x-ratelimit-reset-requests",
    "x-ratelimit-reset-tokens",
)


# --------------------------------------------------------------------------------------- what is equal always


@clause("chat.parity.prompt-tokens", level="MUST", source="SPEC CompletionUsage.prompt_tokens", on=PAIR)
def prompts_cost_the_same(plain: Exchange, stream: Exchange) -> None:
    """The same request has the same `prompt_tokens`, plain and streamed.

    No sampling is involved. A difference means that one of the two is estimated, or another prompt was sent to
    the model.
    """
    _expect_same_count("prompt_tokens", plain, stream)


@clause("chat.parity.model", level="SHOULD", source="SPEC CreateChatCompletionStreamResponse.model", on=PAIR)
def the_model_has_one_name(plain: Exchange, stream: Exchange) -> None:
    """Plain and streamed answers of one model name it alike."""
    named, told = _plain(plain).model, _told(stream).model
    if named is None or told is None:
        raise Inconclusive("an answer names no model")
    expect(told == named, expected=f"{shown(named)} as in the plain answer", got=shown(told), at="/model")


@clause("chat.parity.headers", level="SHOULD", source="CAP-OTEL streaming; DOCS-0715 reference/overview", on=PAIR)
def headers_come_with_streams_too(plain: Exchange, stream: Exchange) -> None:
    """The request id and the rate-limit headers that a plain answer has come with a stream too.

    A client that only streams never learns its remaining budget otherwise, nor an id to report.
    """
    sent = [name for name in HEADERS if plain.header(name) is not None]
    if not sent:
        raise NotApplicable("the plain answer has none of these headers")
    missing = [name for name in sent if stream.header(name) is None]
    expect(not missing, expected=f"{', '.join(sent)} as in the plain answer", got=f"no {', '.join(missing)}")


# ---------------------------------------------------------------- what is equal when the server repeats itself


@clause(
    "chat.parity.nothing-lost", level="MUST", source="SPEC delta; SPEC message.content", on=TRIO, model="some-output"
)
def no_part_of_the_text_is_lost(plain: Exchange, again: Exchange, stream: Exchange) -> None:
    """The first and the last words of an answer are in its stream too.

    Servers lose them where the role chunk and the first token, or the last token and the finish, share a step.
    """
    whole = _repeated(plain, again).text
    told = _of_as_many_tokens(plain, stream).text
    if not whole.strip():
        raise NotApplicable("the answers have no text")
    lost = _lost_at_an_end(whole, told)
    expect(
        not lost.strip(),
        expected=f"{shown(whole)} as in the plain answer",
        got=f"{shown(told)}: {shown(lost)} is lost",
    )


@clause("chat.parity.text", level="SHOULD", source="SPEC delta; SPEC message.content", on=TRIO, model="some-output")
def texts_are_the_same(plain: Exchange, again: Exchange, stream: Exchange) -> None:
    """A server that answers the same request twice with the same text streams that text."""
    whole = _repeated(plain, again).text
    told = _of_as_many_tokens(plain, stream).text
    if not whole and not told:
        raise NotApplicable("the answers have no text")
    if _lost_at_an_end(whole, told).strip():
        raise NotApplicable("the beginning or the end is missing: chat.parity.nothing-lost judges that")
    expect(told == whole, expected=f"{shown(whole)} as in the plain answer", got=shown(told))


def _lost_at_an_end(whole: str, told: str) -> str:
    """What of `whole` stands before or behind `told`; "" when `told` is neither its beginning nor its end."""
    if not told.strip():
        return whole
    if whole.endswith(told):
        return whole.removesuffix(told)
    return whole.removeprefix(told) if whole.startswith(told) else ""


@clause("chat.parity.finish", level="MUST", source="SPEC finish_reason", on=TRIO, model="some-output")
def texts_end_for_the_same_reason(plain: Exchange, again: Exchange, stream: Exchange) -> None:
    """The same text has the same `finish_reason`, plain and streamed."""
    one, told = _same_text(plain, again, stream)
    if one.finish != _plain(again).finish:
        raise NotApplicable("the plain answers end for different reasons themselves")
    expect(told.finish == one.finish, expected=f"{shown(one.finish)} as in the plain answer", got=shown(told.finish))


@clause("chat.parity.completion-tokens", level="MUST", source="SPEC CompletionUsage", on=TRIO, model="some-output")
def texts_cost_the_same(plain: Exchange, again: Exchange, stream: Exchange) -> None:
    """The same text has the same `completion_tokens`, plain and streamed.

    A count of chunks is not a count of tokens.
    """
    _same_text(plain, again, stream)
    if _plain(plain).usage.get("completion_tokens") != _plain(again).usage.get("completion_tokens"):
        raise NotApplicable("the plain answers are counted differently themselves")
    _expect_same_count("completion_tokens", plain, stream)


@clause("chat.parity.kinds", level="SHOULD", source="SPEC message; SPEC delta", on=TRIO, model="some-output")
def answers_are_made_of_the_same(plain: Exchange, again: Exchange, stream: Exchange) -> None:
    """A stream is made of the same as the plain answer: text where that has text, calls where it has calls.

    Thoughts that are kept apart in the one and mixed into the text of the other are the usual breach.
    """
    kinds = _repeated(plain, again).kinds
    told = _told(stream).kinds
    if not kinds and not told:
        raise NotApplicable("the answers are empty")
    expect(told == kinds, expected=f"{shown(sorted(kinds))} as in the plain answer", got=shown(sorted(told)))


# ------------------------------------------------------------------------------------------------ reading


@dataclass(frozen=True)
class Answer:
    """What an answer says, plain or streamed, of its first choice.

    `text` ends before a character that the cap cut in two: plain and stream may show its half differently.
    """

    model: str | None
    text: str
    kinds: frozenset[str]
    finish: str | None
    usage: dict[str, Any]


def _plain(exchange: Exchange) -> Answer:
    body = as_object(exchange.json)
    choice = _first_choice(body)
    if choice is None or not isinstance(choice.get("message"), dict):
        raise Inconclusive(f"{exchange.id} has no message to compare")
    message = choice["message"]
    return Answer(
        as_text(body.get("model")) or None,
        as_text(message.get("content")).rstrip(HALF),
        kinds_of(message),
        _finish(choice),
        as_object(body.get("usage")),
    )


def _told(exchange: Exchange) -> Answer:
    """The answer a stream tells; Inconclusive when it tells none, or breaks off."""
    model: str | None = None
    text: list[str] = []
    kinds: frozenset[str] = frozenset()
    finish: str | None = None
    usage: dict[str, Any] = {}
    chunks = _chunks(exchange)
    for chunk in chunks:
        model = model or as_text(chunk.get("model")) or None
        usage = as_object(chunk.get("usage")) or usage
        choice = _first_choice(chunk)
        if choice is None:
            continue
        delta = as_object(choice.get("delta"))
        text.append(as_text(delta.get("content")))
        kinds |= kinds_of(delta)
        finish = finish or _finish(choice)
    if not any(_first_choice(chunk) for chunk in chunks):
        raise Inconclusive(f"{exchange.id} has no chunk to compare")
    return Answer(model, "".join(text).rstrip(HALF), kinds, finish, usage)


def _chunks(exchange: Exchange) -> list[dict[str, Any]]:
    """The JSON objects up to [DONE]; Inconclusive when an error or a broken event is among them."""
    chunks: list[dict[str, Any]] = []
    for _, event in before_done(exchange):
        if not event.data:
            continue
        try:
            value = parse_json(event.data)
        except Undecodable as bad:
            raise Inconclusive(f"{exchange.id} has an event that is not JSON") from bad
        if not isinstance(value, dict):
            continue
        if value.get("error"):
            raise Inconclusive(f"{exchange.id} broke off with an error")
        chunks.append(value)
    return chunks


def _repeated(plain: Exchange, again: Exchange) -> Answer:
    """What both plain answers say; NotApplicable when they differ, for then a stream may differ too."""
    one, _ = _plain(plain), _plain(again)
    expect_repeats([plain, again])
    return one


def _of_as_many_tokens(plain: Exchange, stream: Exchange) -> Answer:
    """What the stream says. Two equal plain answers may be chance: a stream of another length is another answer."""
    one, told = _plain(plain), _told(stream)
    counts = [answer.usage.get("completion_tokens") for answer in (one, told)]
    if None not in counts and counts[0] != counts[1]:
        raise NotApplicable(f"the stream counts {counts[1]} tokens, not {counts[0]}: it is another answer")
    return told


def _same_text(plain: Exchange, again: Exchange, stream: Exchange) -> tuple[Answer, Answer]:
    one, told = _repeated(plain, again), _told(stream)
    if (told.text, told.kinds) != (one.text, one.kinds):
        raise NotApplicable("the stream says something else than the plain answers")
    return one, told


def _expect_same_count(name: str, plain: Exchange, stream: Exchange) -> None:
    count, told = _plain(plain).usage.get(name), _told(stream).usage.get(name)
    if not isinstance(count, int) or not isinstance(told, int):
        raise Inconclusive(f"one of the two has no {name}")
    expect(told == count, expected=f"{count} as in the plain answer", got=told, at=f"/usage/{name}")


def _first_choice(body: dict[str, Any]) -> dict[str, Any] | None:
    return next((choice for _, choice in choices_in(body) if choice.get("index", 0) == 0), None)


def _finish(choice: dict[str, Any]) -> str | None:
    """None before the end, however that is said."""
    reason = as_text(choice.get("finish_reason"))
    return None if reason in ("", "null") else reason
