"""Reading speech: the sound of a plain answer, or the one that the deltas of a stream make together."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from wireproof.clause import Exchange, Inconclusive, Undecodable, parse_json, shown

from ._forms import asked_of
from ._media import streams, told_events
from ._reading import as_number, as_text
from ._sounds import PCM_RATE, NoSound, Sound, pcm_in, sound_in

FORMATS = ("mp3", "opus", "aac", "flac", "wav", "pcm")
DEFAULT = "mp3"
# A format may come in a container that has another name.
SAME = {"webm": "opus", "mp4": "aac"}
# Where an error stands that was written into a sound.
TAIL_BYTES = 4096
# Formats whose first bytes no raw samples begin with by chance, as they may with those of a frame.
CERTAIN = ("wav", "flac", "opus", "vorbis", "webm", "mp4")


def format_asked(exchange: Exchange) -> str:
    return as_text(asked_of(exchange).get("response_format")) or DEFAULT


def bytes_of(exchange: Exchange) -> bytes:
    """The sound as it was sent, that of a stream joined. Raises NoSound when a delta is no base64."""
    if not streams(exchange):
        return exchange.body
    pieces = []
    for number, event in told_events(exchange):
        if event.get("type") == "speech.audio.delta":
            try:
                pieces.append(base64.b64decode(as_text(event.get("audio")), validate=True))
            except (binascii.Error, ValueError) as bad:
                raise NoSound(f"event {number} is no base64: {bad}") from bad
    return b"".join(pieces)


def sound_of(exchange: Exchange) -> Sound:
    """What was said. Raises NoSound."""
    data = bytes_of(exchange)
    if data[:1] in (b"{", b"[", b'"') and (words := _json(data)) is not None:
        raise NoSound(f"a JSON document: {words}")
    if (at := data.find(b'{"error"', max(0, len(data) - TAIL_BYTES))) >= 0:
        raise NoSound(f"a sound that breaks off with {data[at : at + 80].decode('utf-8', 'replace')}")
    if format_asked(exchange) != "pcm":
        return sound_in(data)
    try:
        found = sound_in(data)
    except NoSound:
        return pcm_in(data, *_rate_and_channels(exchange))
    # Loud samples may look like the frames of an MP3, or of anything that begins with ones.
    is_certain = found.format in CERTAIN or data[:3] == b"ID3"
    return found if is_certain else pcm_in(data, *_rate_and_channels(exchange))


def _rate_and_channels(exchange: Exchange) -> tuple[int, int]:
    """Of raw samples: as the content type tells (RFC 2586), else as documented."""
    told = dict(re.findall(r";\s*(rate|channels)\s*=\s*\"?(\d{1,6})", (exchange.header("content-type") or "").lower()))
    return int(told.get("rate") or 0) or PCM_RATE, int(told.get("channels") or 0) or 1


def _json(data: bytes) -> str | None:
    try:
        return shown(parse_json(data.decode()))
    except (Undecodable, UnicodeDecodeError):
        return None


def heard(exchange: Exchange) -> Sound:
    """The same. Inconclusive when it is none: speech.sound judges that."""
    try:
        return sound_of(exchange)
    except NoSound as flaw:
        raise Inconclusive(str(flaw)) from flaw


def speed_asked(asked: dict[str, Any]) -> float:
    return as_number(asked.get("speed")) or 1.0
