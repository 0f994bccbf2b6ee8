"""The words of transcripts: the same in every format, none but what was said, and told apart as asked.

The probes send a hum; a server may hear words in it, or none. What it hears must not depend on the form of the answer.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from html import unescape
from typing import Any

from wireproof.clause import (
    TRANSCRIPTION_MODEL,
    Call,
    Exchange,
    File,
    Flow,
    NotApplicable,
    Undecodable,
    answered,
    clause,
    expect,
    flow,
    form,
    sequence,
    shown,
)

from ._captions import Malformed, srt_in, vtt_in
from ._forms import asked_of, file_of
from ._media import is_ok, json_or_none, streams, told_events
from ._reading import as_number, as_object, as_objects, as_text
from ._samples import wav
from ._transcripts import JSON, TRANSCRIBE, TRANSLATE, asks, body_of, format_asked, spoken

# Tells log probabilities by documentation; where it is not served, it is refused and costs nothing.
TELLING = "gpt-4o-mini-transcribe"


def _with_logprobs(model: str) -> Call:
    fields = [("model", model), ("response_format", "json"), ("include[]", "logprobs"), ("stream", "true")]
    return form("/audio/transcriptions", [*fields, ("file", File("hum.wav", wav(), "audio/wav"))])


@flow(
    "transcriptions.logprobs", most=2, about="how sure the model is of each word", needs=TRANSCRIPTION_MODEL,
    expects="either",
)  # fmt: skip
def words_and_how_sure_they_are() -> Flow:
    exchange = yield _with_logprobs(TRANSCRIPTION_MODEL)
    if not is_ok(exchange) or b"logprobs" not in exchange.wire:
        yield _with_logprobs(TELLING)


BOTH = (TRANSCRIBE, TRANSLATE)
# Special tokens of decoders, as `<|en|>`, `<|0.00|>` and `<|endoftext|>` are.
CONTROL = re.compile(r"<\|[^|<>\s]{1,40}\|>")
# Of WebVTT: voices, classes.
TAG = re.compile(r"</?(?:v|c|i|b|u|lang|ruby|rt)\b[^>]*>")
# Of a request, what changes the form of an answer and not its words.
OF_THE_FORM = ("response_format", "timestamp_granularities", "stream", "include", "chunking_strategy")
# How many answers must agree before another is held against them: decoders that draw lots do not agree so often.
AGREED = 3
# A word or two are what they agree on by chance.
FEW_LETTERS = 20


def words_of(exchange: Exchange) -> str | None:
    """What was heard, in whatever form it is told; None when it cannot be read."""
    try:
        if streams(exchange) or format_asked(exchange) in JSON:
            text = body_of(exchange).get("text")
            return text if isinstance(text, str) else None
        read = {"srt": srt_in, "vtt": vtt_in}.get(format_asked(exchange))
        if read is None:
            return exchange.text
        words = " ".join(caption.text for caption in read(exchange.text))
        return unescape(TAG.sub("", words)) if format_asked(exchange) == "vtt" else words
    except (Malformed, Undecodable):
        return None


@clause(
    "transcriptions.same-words",
    level="SHOULD",
    source="SPEC AudioResponseFormat: the format of the output",
    on=sequence(answered(TRANSCRIBE)),
)
def words_are_the_same_in_every_format(exchanges: Sequence[Exchange]) -> None:
    """The words of a recording are the same in each format, where most of them agree: none are lost in captions."""
    compared = False
    for group in _of_one_recording(exchanges):
        heard = [
            (exchange, spoken(CONTROL.sub("", words)))
            for exchange in group
            if (words := words_of(exchange)) is not None and not words.lstrip().startswith("{")
        ]
        wanted, votes = Counter(words for _, words in heard).most_common(1)[0] if heard else ("", 0)
        if votes < AGREED or len(wanted) < FEW_LETTERS:
            continue
        compared = True
        for exchange, words in heard:
            expect(words == wanted, expected=f"{wanted!r}, as {votes} others say", got=words, at=exchange.id)
    if not compared:
        raise NotApplicable("no three answers agree on what was said")


def _of_one_recording(exchanges: Sequence[Exchange]) -> list[list[Exchange]]:
    """Answers to requests that differ in the form alone."""
    groups: dict[Any, list[Exchange]] = {}
    for exchange in exchanges:
        asked = {name: value for name, value in asked_of(exchange).items() if name not in OF_THE_FORM}
        groups.setdefault((shown(asked), file_of(exchange, "file")), []).append(exchange)
    return list(groups.values())


@clause("transcriptions.spoken", level="SHOULD", source="SPEC CreateTranscriptionResponseJson.text", on=answered(*BOTH))
def words_are_what_was_said(exchange: Exchange) -> None:
    """Words are those that were said, without the tokens by which a decoder is steered: `<|en|>`, `<|0.00|>`."""
    words = words_of(exchange)
    if words is None:
        raise NotApplicable("there are no words to be read")
    found = CONTROL.search(words)
    expect(
        found is None, expected="words alone", got=found[0] if found else "", at="/text" if streams(exchange) else ""
    )


@clause(
    "transcriptions.word-text",
    level="SHOULD",
    source="SPEC CreateTranscriptionResponseVerboseJson.words: extracted words",
    on=answered(TRANSCRIBE, shows=asks("verbose_json")),
)
def words_make_the_text(exchange: Exchange) -> None:
    """The `words`, joined, are the text: but for blanks, stops and case."""
    body = body_of(exchange)
    words, text = as_objects(body.get("words")), body.get("text")
    if not words or not isinstance(text, str):
        raise NotApplicable("there is no text, or there are no words")
    joined = spoken("".join(as_text(word.get("word")) for word in words))
    expect(joined == spoken(text), expected=spoken(text), got=joined, at="/words")


# ------------------------------------------------------------------------------------------- how sure it is


@clause(
    "transcriptions.logprobs",
    level="MUST",
    source="SPEC CreateTranscriptionResponseJson.logprobs, TranscriptTextDeltaEvent.logprobs",
    on=answered(TRANSCRIBE, shows=lambda e: streams(e) or format_asked(e) == "json"),
    fields=("include",),
)
def each_token_has_its_probability(exchange: Exchange) -> None:
    """Log probabilities are told of each token, none above 0, with its bytes; the tokens, joined, are the text.

    A model that is documented to tell them does so where `include` asks for them. Others leave them out.
    """
    seen = False
    for at, event, text, rows in _logprobs_in(exchange):
        seen = True
        joined = ""
        for number, row in enumerate(rows):
            place, token, logprob = f"{at}/{number}", row.get("token"), as_number(row.get("logprob"))
            held = isinstance(token, str)
            expect(held, expected="a token", got=shown(token), at=f"{place}/token", event=event)
            held = logprob is not None and logprob <= 0
            expect(held, expected="0 or less", got=shown(row.get("logprob")), at=f"{place}/logprob", event=event)
            joined += str(token)
            _expect_bytes(row, str(token), f"{place}/bytes", event)
        fits = spoken(joined) == spoken(text) or "\ufffd" in joined
        expect(fits, expected=f"tokens of {text!r}", got=joined, at=at, event=event)
    asked = asked_of(exchange)
    if not seen and not (words_of(exchange) or "").strip():
        raise NotApplicable("nothing was heard")
    if not seen and (asked.get("model") != TELLING or "logprobs" not in (asked.get("include") or ())):
        raise NotApplicable("no log probabilities are told")
    expect(seen, expected="logprobs, which were asked for", got=exchange.wire[:200].decode("utf-8", "replace"))


def _logprobs_in(exchange: Exchange) -> Iterator[tuple[str, int | None, str, list[dict[str, Any]]]]:
    """`(pointer, event, the words they are of, rows)` of each list that is not empty."""
    told: list[tuple[int | None, dict[str, Any]]] = [(None, as_object(json_or_none(exchange)))]
    for number, body in told_events(exchange) if streams(exchange) else told:
        text = body.get("delta", body.get("text"))
        if isinstance(text, str) and (rows := as_objects(body.get("logprobs"))):
            yield "/logprobs", number, text, rows


def _expect_bytes(row: dict[str, Any], token: str, at: str, event: int | None) -> None:
    """The bytes are those of the token; a character that is cut in two is told by its bytes alone."""
    given = row.get("bytes")
    if isinstance(given, list) and "\ufffd" not in token:
        expect(given == list(token.encode()), expected=f"the bytes of {token!r}", got=shown(given), at=at, event=event)
