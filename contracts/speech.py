"""Speech: the bytes are a sound, of the format asked for, and follow the text and the speed.

Sounds are read as far as their frames: whether the words are said is for an ear. Deltas of a stream are judged in
speech_stream.py.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from itertools import pairwise, permutations
from statistics import median
from typing import Any

from wireproof.clause import (
    SPEECH_MODEL,
    Exchange,
    Inconclusive,
    NotApplicable,
    answered,
    clause,
    expect,
    probe,
    sent,
    sequence,
    shown,
)

from ._media import expect_each_refused, expect_named, plain
from ._reading import as_text, error_of
from ._sounds import NoSound, wav_samples
from ._speech import FORMATS, SAME, bytes_of, format_asked, heard, sound_of, speed_asked

SPEECH = "/audio/speech"
SHORT = "The harbour was quiet."
LONG = f"{SHORT} Two boats came in late, with their lamps out, and nobody on the pier asked them where they had been."
# Source: SPEC CreateSpeechRequest.input. The last of it is full stops, which are soon said where they are said at all.
MOST_CHARACTERS = 4096
TOO_LONG = "Rain" + "." * (MOST_CHARACTERS - 3)
NOBODY = "wireproof-no-such-voice"


def _ask(**fields: Any) -> dict[str, Any]:
    return {"model": SPEECH_MODEL, "input": SHORT, "voice": "alloy", **fields}


def _speak(id: str, body: dict[str, Any], about: str, expects: Any = "either") -> Any:
    return probe(id, "POST", SPEECH, body, about=about, expects=expects, needs=SPEECH_MODEL)


PROBES = (
    _speak("speech.default", _ask(), "a sentence, in no format by name", "answer"),
    _speak("speech.wav", _ask(response_format="wav"), "the same as WAV"),
    _speak("speech.pcm", _ask(response_format="pcm"), "the same as raw samples"),
    _speak("speech.fast", _ask(response_format="opus", speed=2), "the same as Opus, twice as fast"),
    _speak("speech.long", _ask(response_format="flac", input=LONG), "four times as much, as FLAC"),
    _speak("speech.format-wrong", _ask(response_format="mp9"), "a format that is none", "refusal"),
    _speak("speech.empty", _ask(input=""), "nothing to say", "refusal"),
    _speak("speech.voice-wrong", _ask(voice=NOBODY), "a voice that nobody has", "refusal"),
    _speak("speech.too-long", _ask(input=TOO_LONG), "one character more than may be said", "refusal"),
)

ANY = answered("createSpeech")
PLAIN = answered("createSpeech", shows=plain)

# By format: the types that clients know it under. Any may come as bytes of no stated kind, as officially all do.
TYPES = {
    "mp3": ("audio/mpeg", "audio/mp3", "audio/mpeg3", "audio/x-mpeg", "audio/x-mp3"),
    "opus": ("audio/opus", "audio/ogg", "application/ogg", "audio/webm", "audio/x-opus+ogg"),
    "aac": ("audio/aac", "audio/aacp", "audio/x-aac", "audio/mp4", "audio/x-m4a", "audio/vnd.dlna.adts"),
    "flac": ("audio/flac", "audio/x-flac"),
    "wav": ("audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave"),
    "pcm": ("audio/pcm", "audio/x-pcm", "audio/l16", "audio/raw", "audio/x-raw", "audio/basic"),
    "vorbis": ("audio/ogg", "application/ogg", "audio/vorbis"),
}
ELSE_THE_SAME = ("model", "voice", "instructions")
# As many as tell how samples are read: half a second or more, whatever the rate.
MOST_SAMPLES = 48_000
UNSTATED = ("application/octet-stream", "binary/octet-stream")
# How much shorter a sound must at least be at twice the speed, and longer with twice the text: voices vary. With more
# text it takes at least this share of what the same pace would take: pauses before and after do not grow.
FASTER, LONGER, PACE = 0.9, 1.2, 0.4
# How much longer or shorter the same text may be from one time to the next.
ALIKE = 1.7


# -------------------------------------------------------------------------------------------------- the sound


@clause("speech.sound", level="MUST", source="SPEC createSpeech: the audio file content", on=PLAIN)
def bytes_are_a_sound(exchange: Exchange) -> None:
    """The body is a sound from its first byte to its last: not empty, not cut off, and not inside of a JSON document.

    Programs write it to a file, and hear of it from whoever plays that.
    """
    try:
        sound = sound_of(exchange)
    except NoSound as flaw:
        expect(False, expected=f"a sound ({format_asked(exchange)})", got=str(flaw))
    else:
        lasts = sound.seconds is None or sound.seconds > 0
        expect(lasts, expected="a sound that lasts", got=f"{sound.format} of 0 seconds")


@clause(
    "speech.format",
    level="MUST",
    source="SPEC CreateSpeechRequest.response_format (default mp3)",
    on=ANY,
    fields=("response_format",),
)
def sound_has_the_format_asked(exchange: Exchange) -> None:
    """The sound is in the `response_format` asked for, MP3 when nothing is said."""
    wanted = format_asked(exchange)
    if wanted not in FORMATS:
        raise NotApplicable(f"{wanted} is no format: speech.refuses judges that")
    found = heard(exchange).format
    expect(wanted in (found, SAME.get(found)), expected=wanted, got=found)


@clause(
    "speech.media-type", level="MUST", source="SPEC createSpeech 200: application/octet-stream; RFC9110 8.3", on=PLAIN
)
def type_says_what_the_bytes_are(exchange: Exchange) -> None:
    """`content-type` is that of the sound in the body, or `application/octet-stream`.

    Browsers play by it, gateways decide by it what is text.
    """
    sound = heard(exchange)
    kind = SAME.get(sound.format, sound.format)
    given = exchange.media_type
    fits = given in UNSTATED or given in TYPES.get(kind, ())
    expect(fits, expected=f"content-type {TYPES.get(kind, UNSTATED)[0]}", got=exchange.header("content-type") or "none")


@clause("speech.audible", level="SHOULD", source="SPEC createSpeech: audio from the input text", on=PLAIN)
def something_is_heard(exchange: Exchange) -> None:
    """The sound of a text that can be said is not silence alone."""
    sound = heard(exchange)
    if sound.format not in ("wav", "pcm"):
        raise NotApplicable(f"{sound.format} is not decoded here")
    data = bytes_of(exchange)
    samples = wav_samples(data) if sound.format == "wav" else data
    expect(bool(samples.strip(b"\0")), expected="some sample that is not 0", got=f"{len(samples):,} bytes of silence")


@clause(
    "speech.speed",
    level="SHOULD",
    source="SPEC CreateSpeechRequest.speed",
    on=sequence(PLAIN),
    model="obedience",
    fields=("speed",),
)
def speed_shortens_the_sound(exchanges: Sequence[Exchange]) -> None:
    """The same text takes less time at a higher `speed`."""
    _expect_each(
        exchanges,
        lambda slow, fast: slow["input"] == fast["input"] and speed_asked(fast) >= 1.5 * speed_asked(slow),
        lambda slow, fast: fast < slow * FASTER,
        "shorter than the {:.2f} s of {}",
    )


@clause("speech.length", level="SHOULD", source="SPEC CreateSpeechRequest.input", on=sequence(PLAIN), model="obedience")
def more_text_takes_longer(exchanges: Sequence[Exchange]) -> None:
    """A text of several times the length takes longer to say: nothing of it is dropped."""
    pairs = _pairs(
        exchanges,
        lambda short, long: speed_asked(short) == speed_asked(long) and 2 * len(short["input"]) <= len(long["input"]),
    )
    for short, short_s, long, long_s in pairs:
        times = len(long.request.asked["input"]) / len(short.request.asked["input"])
        least = short_s * max(LONGER, PACE * times)
        expected = f"more than {least:.2f} s for {times:.1f} times the text of {short.id}, which takes {short_s:.2f} s"
        expect(long_s > least, expected=expected, got=f"{long_s:.2f} s", at=long.id)


@clause(
    "speech.same-length",
    level="SHOULD",
    source="SPEC CreateSpeechRequest.response_format, stream_format; DOCS-0715 text to speech: pcm is 24 kHz, 16 bit",
    on=sequence(ANY),
    model="obedience",
)
def the_same_text_takes_the_same_time(exchanges: Sequence[Exchange]) -> None:
    """The same text takes about as long in every format, and streamed as well.

    Half or twice as long is a sound at another rate than its format tells, or one whose parts were lost or sent twice.
    """
    by_ask: dict[str, list[tuple[Exchange, float]]] = {}
    for exchange, seconds in _timed(exchanges):
        asked = exchange.request.asked
        said = {name: value for name, value in asked.items() if name not in ("response_format", "stream_format")}
        by_ask.setdefault(shown({**said, "speed": speed_asked(asked)}), []).append((exchange, seconds))
    groups = [group for group in by_ask.values() if len(group) > 2]
    if not groups:
        raise NotApplicable("no text was said three times")
    for group in groups:
        middle = median(seconds for _, seconds in group)
        for exchange, seconds in group:
            fits = middle / ALIKE <= seconds <= middle * ALIKE
            expect(fits, expected=f"about {middle:.2f} s, as others take", got=f"{seconds:.2f} s", at=exchange.id)


@clause(
    "speech.samples",
    level="SHOULD",
    source="DOCS-0715 text to speech: pcm is 16 bit, signed, little-endian",
    on=answered("createSpeech", shows=lambda e: plain(e) and format_asked(e) == "pcm"),
)
def raw_samples_are_little_endian(exchange: Exchange) -> None:
    """Raw samples are little-endian: read so they rise and fall, read the other way they are noise."""
    if heard(exchange).format != "pcm":
        raise NotApplicable("these are no raw samples: speech.format judges that")
    data = bytes_of(exchange)[: 2 * MOST_SAMPLES]
    ours, others = (_roughness(struct.unpack(f"{order}{len(data) // 2}h", data)) for order in "<>")
    expect(ours <= 2 * others, expected="16 bit, little-endian", got="samples that are smooth when read big-endian")


def _roughness(samples: Sequence[int]) -> int:
    return sum(abs(one - other) for one, other in pairwise(samples))


def _expect_each(exchanges: Sequence[Exchange], are_a_pair: Any, holds: Any, wanted: str) -> None:
    """`holds(seconds, seconds)` of each two answers whose requests `are_a_pair`, and else the same."""
    for one, first_s, other, second_s in _pairs(exchanges, are_a_pair):
        expected = wanted.format(first_s, one.id)
        expect(holds(first_s, second_s), expected=expected, got=f"{second_s:.2f} s", at=other.id)


def _pairs(exchanges: Sequence[Exchange], are_a_pair: Any) -> list[tuple[Exchange, float, Exchange, float]]:
    """Each two answers whose requests `are_a_pair`, and else the same. NotApplicable when there are none."""
    found = [
        (one, first_s, other, second_s)
        for (one, first_s), (other, second_s) in permutations(_timed(exchanges), 2)
        if all(one.request.asked.get(name) == other.request.asked.get(name) for name in ELSE_THE_SAME)
        and are_a_pair(one.request.asked, other.request.asked)
    ]
    if not found:
        raise NotApplicable("no two sounds whose length is known can be compared")
    return found


def _timed(exchanges: Sequence[Exchange]) -> Iterator[tuple[Exchange, float]]:
    for exchange in exchanges:
        try:
            seconds = heard(exchange).seconds
        except Inconclusive:
            continue
        if seconds and as_text(exchange.request.asked.get("input")):
            yield exchange, seconds


# --------------------------------------------------------------------------------------------------- mistakes


def mistakes(exchange: Exchange) -> list[str]:
    """The fields of a request that no backend can mean well."""
    asked = exchange.request.asked
    found = [name for name in ("input", "model") if name not in asked]
    format = asked.get("response_format")
    return [*found, "response_format"] if format is not None and format not in FORMATS else found


def says_nothing(asked: dict[str, Any]) -> bool:
    return asked.get("input") == ""


def says_too_much(asked: dict[str, Any]) -> bool:
    return len(as_text(asked.get("input"))) > MOST_CHARACTERS


def has_nobodys_voice(asked: dict[str, Any]) -> bool:
    return asked.get("voice") == NOBODY


@clause(
    "speech.refuses",
    level="MUST",
    source="SPEC CreateSpeechRequest: model, input (required), response_format; ERR-LATE 400",
    on=sequence(sent("createSpeech")),
)
def wrong_requests_are_refused(exchanges: Sequence[Exchange]) -> None:
    """A request without model or input, or for a format that is none, is refused with a 4xx.

    Answered with MP3 in its place, the typing error is found by whoever cannot play the file.
    """
    expect_each_refused(exchanges, mistakes, lambda e: f"{' and '.join(mistakes(e))} is wrong")


@clause(
    "speech.empty",
    level="SHOULD",
    source="SPEC CreateSpeechRequest.input: the text to generate audio for",
    on=sequence(sent("createSpeech")),
)
def nothing_is_not_said(exchanges: Sequence[Exchange]) -> None:
    """An empty `input` is refused with a 4xx: there is nothing to say."""
    expect_each_refused(exchanges, lambda e: says_nothing(e.request.asked), lambda e: "input is an empty string")


@clause(
    "speech.too-long",
    level="SHOULD",
    source="SPEC CreateSpeechRequest.input: at most 4096 characters",
    on=sequence(sent("createSpeech")),
)
def too_much_is_refused(exchanges: Sequence[Exchange]) -> None:
    """An `input` of more than 4096 characters is refused with a 4xx, not cut where nobody hears it."""
    why = f"input has more than {MOST_CHARACTERS} characters"
    expect_each_refused(exchanges, lambda e: says_too_much(e.request.asked), lambda e: why)


@clause(
    "speech.voice",
    level="SHOULD",
    source="SPEC CreateSpeechRequest.voice",
    on=sequence(sent("createSpeech")),
)
def an_unknown_voice_is_refused(exchanges: Sequence[Exchange]) -> None:
    """A `voice` that there is not is refused with a 4xx, not replaced by another."""
    why = f"there is no voice {shown(NOBODY)}"
    expect_each_refused(exchanges, lambda e: has_nobodys_voice(e.request.asked), lambda e: why)


@clause(
    "speech.param",
    level="SHOULD",
    source="SPEC Error.param; ERR-LATE 400",
    on=answered("createSpeech", status="400", shows=lambda e: bool(wrong_fields(e))),
)
def refusals_name_the_field(exchange: Exchange) -> None:
    """The refusal of a wrong request for speech names the wrong field in `param`."""
    wrong = wrong_fields(exchange)
    if "voice" not in wrong and error_of(exchange).get("param") == "voice":
        raise NotApplicable("the voice of our requests is not known, which is said first")
    expect_named(exchange, wrong)


def wrong_fields(exchange: Exchange) -> list[str]:
    asked = exchange.request.asked
    found = mistakes(exchange)
    if says_nothing(asked) or says_too_much(asked):
        found.append("input")
    return [*found, "voice"] if has_nobodys_voice(asked) else found
