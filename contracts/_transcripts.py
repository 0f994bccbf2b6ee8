"""Reading transcripts: how long the recording is that was sent, in which format the words were asked for."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Any

from wireproof.clause import Exchange, Inconclusive, NotApplicable, expect

from ._forms import asked_of, file_of
from ._media import json_or_none, streams, told_events
from ._reading import as_number, as_object, as_objects
from ._sounds import NoSound, sound_in

TRANSCRIBE, TRANSLATE = "createTranscription", "createTranslation"
JSON = ("json", "verbose_json", "diarized_json")
TEXT = ("text", "srt", "vtt")
DELTA, SEGMENT, DONE = "transcript.text.delta", "transcript.text.segment", "transcript.text.done"
DEFAULT = "json"
# What a decoder adds or leaves out at the ends.
SLACK_S, SLACK_SHARE = 0.5, 0.05
# Whisper listens to half a minute at a time, and may end the last segment of a short recording with its window.
WINDOW_S = 30
# Two voices may start together.
FEW = 3


def format_asked(exchange: Exchange) -> str:
    return str(asked_of(exchange).get("response_format") or DEFAULT)


def asks(*formats: str) -> Any:
    """Whether the words were asked for in one of these formats, and came at once."""
    return lambda exchange: format_asked(exchange) in formats and not streams(exchange)


def granularities(exchange: Exchange) -> list[Any]:
    given = asked_of(exchange).get("timestamp_granularities")
    return given if isinstance(given, list) else [] if given is None else [given]


def body_of(exchange: Exchange) -> dict[str, Any]:
    """The object of an answer, that of a stream folded. Inconclusive when it is none: the schema's clause tells."""
    body = _folded(exchange) if streams(exchange) else json_or_none(exchange)
    if not isinstance(body, dict):
        raise Inconclusive("the answer is not a JSON object")
    return body


def _folded(exchange: Exchange) -> dict[str, Any]:
    """What the events of a stream tell together: the last of them, with the segments that came before."""
    events = [event for _, event in told_events(exchange)]
    done: dict[str, Any] = next((event for event in reversed(events) if event.get("type") == DONE), {})
    segments = [event for event in events if event.get("type") == SEGMENT]
    return {**done, "segments": segments} if segments else done


def real_s(exchange: Exchange) -> float:
    """How long the recording lasts that was sent. NotApplicable when it does not tell."""
    try:
        seconds = sound_in(file_of(exchange, "file") or b"").seconds
    except NoSound as flaw:
        raise NotApplicable(f"no recording whose length is known was sent: {flaw}") from flaw
    if seconds is None:
        raise NotApplicable("the recording does not tell its length")
    return seconds


def slack_s(seconds: float) -> float:
    return max(SLACK_S, seconds * SLACK_SHARE)


def expect_times(spans: Sequence[dict[str, Any]], exchange: Exchange, at: str, *, by: str) -> None:
    """`spans` follow each other, end no earlier than they start, and lie within the recording; some of them last."""
    most = _length(exchange)
    earlier = 0.0
    for number, span in enumerate(spans):
        start, end = as_number(span.get("start")), as_number(span.get("end"))
        if start is None or end is None:
            raise Inconclusive(f"a {by} without its times")
        place = f"{at}/{number}"
        expect(start >= 0, expected="0 or later", got=start, at=f"{place}/start")
        expect(end >= start, expected=f"an end at {start} s or later", got=end, at=f"{place}/end")
        expect(start >= earlier - 0.05, expected=f"a start at {earlier} s or later", got=start, at=f"{place}/start")
        if most is not None:
            expect(
                start <= most + slack_s(most), expected=f"a start within {most:.2f} s", got=start, at=f"{place}/start"
            )
            last = ceil(most / WINDOW_S) * WINDOW_S + slack_s(most)
            expect(end <= last, expected=f"an end within {most:.2f} s", got=end, at=f"{place}/end")
        earlier = start
    if spans:
        lasting = [span for span in spans if span["end"] > span["start"]]
        expect(bool(lasting), expected=f"a {by} that lasts", got="all end where they start", at=at)
    if len(spans) >= (FEW if any("speaker" in span for span in spans) else 2):
        apart = len({span["start"] for span in spans}) > 1
        expect(apart, expected="starts that differ", got=f"all at {spans[0]['start']} s", at=at)


def _length(exchange: Exchange) -> float | None:
    try:
        return real_s(exchange)
    except NotApplicable:
        return as_number(as_object(json_or_none(exchange)).get("duration"))


def spoken(text: str) -> str:
    """Letters and digits alone, in one case: what may be spaced and stopped in several ways."""
    return "".join(filter(str.isalnum, text)).casefold()


def folded(text: str) -> str:
    """Without blanks, which joining adds and drops, and in one case."""
    return "".join(text.split()).casefold()


def expect_joined(body: dict[str, Any], name: str, what: str) -> None:
    """The texts of the parts under `name` are the text of the whole, but for blanks."""
    parts, text = body.get(name), body.get("text")
    if not isinstance(parts, list) or not isinstance(text, str):
        raise NotApplicable(f"there is no text, or there are no {what}")
    joined = "".join(str(part.get("text") or "") for part in as_objects(parts))
    expect(folded(joined) == folded(text), expected=f"{what} that make {text!r}", got=joined, at=f"/{name}")
