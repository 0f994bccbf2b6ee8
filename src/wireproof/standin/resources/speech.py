"""Texts read aloud: as a file that comes in pieces, or as events."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator
from typing import Any

from wireproof.standin.call import Call
from wireproof.standin.catalogue import Model, model_for
from wireproof.standin.media.sounds import FORMATS, length_s, speech
from wireproof.standin.metered import limited
from wireproof.standin.refusals import invalid, wrong_value
from wireproof.standin.serving import serves
from wireproof.standin.tokens import count, estimate
from wireproof.standin.wire import EVENT_STREAM, Answer, Frame, event_frame
from wireproof.standin.world import World

# Source: SDK, the words on `voice`.
VOICES = ("alloy", "ash", "ballad", "coral", "echo", "fable", "onyx", "nova", "sage", "shimmer", "verse", "marin",
          "cedar")  # fmt: skip
PIECE_BYTES = 8_192
# Source: realtime guide: sound that a model makes is a token each 50 ms.
TOKENS_A_SECOND = 20


@serves("createSpeech")
def create(world: World, call: Call) -> Answer:
    model = model_for(world.models, call.body["model"], "speech")
    return limited(
        world,
        call,
        model,
        check=lambda: _check(call.body, model),
        tokens=lambda: estimate(len(call.body["input"])) + _made_tokens(call.body),
        answer=lambda: _answer(world, call),
    )


def _check(body: dict[str, Any], model: Model) -> None:
    voice = body["voice"]
    if isinstance(voice, str) and voice not in VOICES:
        raise wrong_value("voice", voice, list(VOICES))
    if body.get("stream_format") == "sse" and model.id.startswith("tts-1"):
        raise invalid(f"Invalid 'stream_format': 'sse' is not supported by {model.id}.", "stream_format",
                      "unsupported_value")  # fmt: skip


def _answer(world: World, call: Call) -> Answer:
    body = call.body
    voice = body["voice"] if isinstance(body["voice"], str) else body["voice"]["id"]
    format = body.get("response_format") or "mp3"
    data = speech(body["input"], voice, format, body.get("speed") or 1.0)
    gaps = world.setup.latency.gaps(call.serial)
    pieces = (data[at : at + PIECE_BYTES] for at in range(0, len(data), PIECE_BYTES))
    if body.get("stream_format") == "sse":
        return Answer(200, EVENT_STREAM, frames=list(_events(body, pieces, gaps)))
    return Answer(
        200,
        (("content-type", FORMATS[format].media_type),),
        frames=[Frame(delay_ms, piece) for piece, delay_ms in zip(pieces, gaps, strict=False)],
    )


def _events(body: dict[str, Any], pieces: Iterator[bytes], gaps: Iterator[float]) -> Iterator[Frame]:
    for piece, delay_ms in zip(pieces, gaps, strict=False):
        yield event_frame({"type": "speech.audio.delta", "audio": base64.b64encode(piece).decode()}, delay_ms)
    asked = count(body["input"]) + count(body.get("instructions") or "")
    made = _made_tokens(body)
    usage = {"input_tokens": asked, "output_tokens": made, "total_tokens": asked + made}
    yield event_frame({"type": "speech.audio.done", "usage": usage})


def _made_tokens(body: dict[str, Any]) -> int:
    return math.ceil(length_s(body["input"], body.get("speed") or 1.0) * TOKENS_A_SECOND)
