"""Departures of speech."""

from __future__ import annotations

import base64
import json
import struct
from array import array
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from wireproof.standin.faults import Departure, fault
from wireproof.standin.faults.edit import edit_error, edit_events, edit_frames
from wireproof.standin.wire import Answer, Ask, Frame, Serve

PLACE = "/v1/audio/speech"
SHORT_CHARACTERS = 22


def _sound(ask: Ask, serve: Serve, change: Callable[[bytes], bytes]) -> Answer:
    """`change` on the bytes of a plain sound, which then come at once."""
    answer = serve(ask)
    if ask.path != PLACE or answer.status != 200 or ask.asked.get("stream_format") == "sse":
        return answer
    data = b"".join(frame.data for frame in answer.frames or ())
    return replace(answer, body=change(data), frames=None)


def _events(ask: Ask, serve: Serve, edit: Callable[[dict[str, Any]], Any]) -> Answer:
    answer = serve(ask)
    return edit_events(answer, edit) if ask.path == PLACE and ask.asked.get("stream_format") == "sse" else answer


def _other(ask: Ask, serve: Serve, **fields: Any) -> Answer:
    """The answer to another request for speech, where one of these fields was asked for."""
    is_meant = ask.path == PLACE and any(name in ask.asked for name in fields)
    return serve(ask.changed(**fields) if is_meant else ask)


@fault("speech.format-ignored", breaks="speech.format")
def format_ignored(ask: Ask, serve: Serve) -> Answer:
    """MP3 whatever was asked for; a format that is none is still refused."""
    return serve(ask) if ask.asked.get("response_format") == "mp9" else _other(ask, serve, response_format="mp3")


@fault("speech.default-wav", breaks="speech.format")
def default_wav(ask: Ask, serve: Serve) -> Answer:
    """WAV where no format was asked for."""
    is_bare = ask.path == PLACE and "response_format" not in ask.asked
    return serve(ask.changed(response_format="wav") if is_bare else ask)


@fault("speech.json", breaks="speech.sound")
def in_json(ask: Ask, serve: Serve) -> Answer:
    """Base64 in a JSON document."""
    answer = _sound(ask, serve, lambda data: json.dumps({"audio": base64.b64encode(data).decode()}).encode())
    is_sound = ask.path == PLACE and answer.status == 200 and not answer.is_stream
    return answer.with_header("content-type", "application/json") if is_sound else answer


@fault("speech.nothing", breaks="speech.sound")
def nothing(ask: Ask, serve: Serve) -> Answer:
    """200 and no byte."""
    return _sound(ask, serve, lambda data: b"")


@fault("speech.cut-off", breaks="speech.sound")
def cut_off(ask: Ask, serve: Serve) -> Answer:
    """The last third of every file that says how long it is, or has frames, is missing."""
    return _sound(ask, serve, lambda data: data[: len(data) * 2 // 3 | 1])


def _of(format: str, change: Callable[[bytes], bytes]) -> Departure:
    """`change` on sounds that were asked for in this format."""

    def serve_changed(ask: Ask, serve: Serve) -> Answer:
        is_meant = ask.path == PLACE and ask.asked.get("response_format", "mp3") == format
        return _sound(ask, serve, change) if is_meant else serve(ask)

    return serve_changed


@fault("speech.error-inside", breaks="speech.sound")
def error_inside(ask: Ask, serve: Serve) -> Answer:
    """An error is written into the MP3 where the voice broke off."""
    error = b'{"error": {"message": "The engine died.", "type": "server_error"}}'
    return _of("mp3", lambda data: data[: len(data) * 4 // 5] + error)(ask, serve)


@fault("speech.wav-joined", breaks="speech.sound")
def wav_joined(ask: Ask, serve: Serve) -> Answer:
    """A WAV for each half of the text, one behind the other."""

    def joined(data: bytes) -> bytes:
        at = data.index(b"data") + 8
        half = at + (len(data) - at) // 4 * 2
        return b"".join(_wav_of(data[:at], samples) for samples in (data[at:half], data[half:]))

    return _of("wav", joined)(ask, serve)


def _wav_of(head: bytes, samples: bytes) -> bytes:
    told = struct.pack("<I", len(head) + len(samples) - 8)
    return head[:4] + told + head[8:-4] + struct.pack("<I", len(samples)) + samples


@fault("speech.wav-rate-untrue", breaks="speech.sound")
def wav_rate_untrue(ask: Ask, serve: Serve) -> Answer:
    """A WAV says 48 kHz, and as many bytes a second as 24 kHz have."""

    def retold(data: bytes) -> bytes:
        at = data.index(b"fmt ") + 12
        return data[:at] + struct.pack("<I", 48_000) + data[at + 4 :]

    return _of("wav", retold)(ask, serve)


@fault("speech.page-damaged", breaks="speech.sound")
def page_damaged(ask: Ask, serve: Serve) -> Answer:
    """The last byte of an Opus file is another."""
    return _of("opus", lambda data: data[:-1] + bytes([data[-1] ^ 0xFF]))(ask, serve)


@fault("speech.big-endian", breaks="speech.samples")
def big_endian(ask: Ask, serve: Serve) -> Answer:
    """Raw samples have their bytes in the order of networks."""

    def swapped(data: bytes) -> bytes:
        samples = array("h", data)
        samples.byteswap()
        return samples.tobytes()

    return _of("pcm", swapped)(ask, serve)


@fault("speech.stereo", breaks="speech.same-length")
def stereo(ask: Ask, serve: Serve) -> Answer:
    """Raw samples come twice, for a left and a right ear."""

    def doubled(data: bytes) -> bytes:
        return b"".join(data[at : at + 2] * 2 for at in range(0, len(data), 2))

    return _of("pcm", doubled)(ask, serve)


@fault("speech.typed-mpeg", breaks="speech.media-type")
def typed_mpeg(ask: Ask, serve: Serve) -> Answer:
    """`audio/mpeg` whatever the bytes are."""
    answer = serve(ask)
    is_sound = ask.path == PLACE and answer.status == 200 and ask.asked.get("stream_format") != "sse"
    return answer.with_header("content-type", "audio/mpeg") if is_sound else answer


@fault("speech.silent", breaks="speech.audible")
def silent(ask: Ask, serve: Serve) -> Answer:
    """Every sample of WAV and PCM is 0."""
    format = ask.asked.get("response_format")
    if format not in ("wav", "pcm"):
        return serve(ask)

    def silenced(data: bytes) -> bytes:
        head = data.index(b"data") + 8 if format == "wav" else 0
        return data[:head] + bytes(len(data) - head)

    return _sound(ask, serve, silenced)


@fault("speech.speed-ignored", breaks="speech.speed")
def speed_ignored(ask: Ask, serve: Serve) -> Answer:
    """Every text is said at the same pace."""
    return serve(ask.without("speed") if ask.path == PLACE else ask)


@fault("speech.text-cut", breaks="speech.length")
def text_cut(ask: Ask, serve: Serve) -> Answer:
    """Only the first sentence is said."""
    given = ask.asked.get("input", "")
    is_meant = ask.path == PLACE and SHORT_CHARACTERS < len(given) <= 4096
    return serve(ask.changed(input=given[:SHORT_CHARACTERS]) if is_meant else ask)


@fault("speech.text-half", breaks="speech.length")
def text_half(ask: Ask, serve: Serve) -> Answer:
    """A third of a longer text is said."""
    given = ask.asked.get("input", "")
    is_meant = ask.path == PLACE and SHORT_CHARACTERS < len(given) <= 4096
    return serve(ask.changed(input=given[: len(given) // 3]) if is_meant else ask)


@fault("speech.format-guessed", breaks="speech.refuses")
def format_guessed(ask: Ask, serve: Serve) -> Answer:
    """A format that is none is taken for MP3."""
    return serve(ask.without("response_format") if ask.asked.get("response_format") == "mp9" else ask)


@fault("speech.empty-said", breaks="speech.empty")
def empty_said(ask: Ask, serve: Serve) -> Answer:
    """An empty text is answered with a short sound."""
    return serve(ask.changed(input=".") if ask.path == PLACE and ask.asked.get("input") == "" else ask)


@fault("speech.too-long-cut", breaks="speech.too-long")
def too_long_cut(ask: Ask, serve: Serve) -> Answer:
    """What is too long is cut without a word."""
    is_meant = ask.path == PLACE and len(ask.asked.get("input", "")) > 4096
    return serve(ask.changed(input=ask.asked["input"][:4096]) if is_meant else ask)


@fault("speech.voice-replaced", breaks="speech.voice")
def voice_replaced(ask: Ask, serve: Serve) -> Answer:
    """A voice that there is not is replaced by one that there is."""
    return _other(ask, serve, voice="alloy")


@fault("speech.param-null", breaks="speech.param")
def param_null(ask: Ask, serve: Serve) -> Answer:
    """A refusal does not say which field is wrong."""

    def edit(body: dict[str, Any]) -> None:
        body["error"]["param"] = None

    return edit_error(serve(ask), edit) if ask.path == PLACE else serve(ask)


# -------------------------------------------------------------------------------------------------- as events


@fault("speech.stream.ignored", breaks="speech.stream.served")
def stream_ignored(ask: Ask, serve: Serve) -> Answer:
    """`stream_format: sse` is ignored."""
    return serve(ask.without("stream_format") if ask.path == PLACE else ask)


@fault("speech.stream.usage-missing", breaks="speech.stream.schema")
def usage_missing(ask: Ask, serve: Serve) -> Answer:
    """The last event has no usage."""
    return _events(ask, serve, lambda event: event.pop("usage", None) and None)


@fault("speech.stream.unfinished", breaks="speech.stream.done")
def unfinished(ask: Ask, serve: Serve) -> Answer:
    """The stream ends with its last delta."""
    answer = serve(ask)
    is_meant = ask.path == PLACE and ask.asked.get("stream_format") == "sse"
    return edit_frames(answer, lambda frames: iter(frames[:-1])) if is_meant else answer


@fault("speech.stream.delta-lost", breaks="speech.stream.sound")
def delta_lost(ask: Ask, serve: Serve) -> Answer:
    """The first delta is lost, and with it the beginning of the sound."""
    answer = serve(ask)

    def without_first(frames: list[Frame]) -> Iterator[Frame]:
        return iter(
            [replace(frames[0], data=b'data: {"type": "speech.audio.delta", "audio": "AAAA"}\n\n'), *frames[1:]]
        )

    is_meant = ask.path == PLACE and ask.asked.get("stream_format") == "sse"
    return edit_frames(answer, without_first) if is_meant else answer


@fault("speech.stream.from-the-start", breaks="speech.stream.sound")
def from_the_start(ask: Ask, serve: Serve) -> Answer:
    """Each delta has all of the sound so far."""
    so_far = b""

    def edit(event: dict[str, Any]) -> None:
        nonlocal so_far
        if "audio" in event:
            so_far += base64.b64decode(event["audio"])
            event["audio"] = base64.b64encode(so_far).decode()

    return _events(ask, serve, edit)


@fault("speech.stream.usage-off", breaks="speech.stream.usage")
def usage_off(ask: Ask, serve: Serve) -> Answer:
    """`total_tokens` is that of the output alone."""

    def edit(event: dict[str, Any]) -> None:
        if "usage" in event:
            event["usage"]["total_tokens"] = event["usage"]["output_tokens"]

    return _events(ask, serve, edit)
