"""What a request to hear a recording asks of its model: which formats and extras each takes, which files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from wireproof.standin.call import Upload
from wireproof.standin.catalogue import Model
from wireproof.standin.languages import LANGUAGES
from wireproof.standin.media.recordings import Recording, Unhearable, heard
from wireproof.standin.prose import dice, sentences
from wireproof.standin.refusals import Refused, invalid
from wireproof.standin.wire import refusal

# Source: realtime guide: sound that a client sends is a token each 100 ms.
INPUT_TOKENS_A_SECOND = 10
# Source: speech-to-text guide.
MOST_BYTES = 25 << 20
# Source: SDK, the words on `chunking_strategy` and `known_speaker_references`.
LONGEST_UNCHUNKED_S = 30
REFERENCE_PREFIX = "data:"
ACCEPTED = "flac, m4a, mp3, mp4, mpeg, mpga, oga, ogg, wav, webm"


@dataclass(frozen=True, slots=True)
class Ears:
    """What one family of models can do."""

    formats: tuple[str, ...]
    streams: bool = True
    counts_tokens: bool = True
    tells_logprobs: bool = False
    tells_speakers: bool = False
    tells_languages: bool = False


# Source: SDK, the words on `response_format`, `include`, `stream`, `languages`. The first prefix that fits.
# That gpt-4o-transcribe also takes text is observed: its refusals say so.
EARS = {
    "whisper-1": Ears(("json", "text", "srt", "verbose_json", "vtt"), streams=False, counts_tokens=False),
    "gpt-4o-transcribe-diarize": Ears(("json", "text", "diarized_json"), tells_speakers=True),
    "gpt-transcribe": Ears(("json", "text"), tells_languages=True),
    "": Ears(("json", "text"), tells_logprobs=True),
}
# Which fields need which ability.
NEEDS = {
    "known_speaker_names": "tells_speakers",
    "known_speaker_references": "tells_speakers",
    "languages": "tells_languages",
    "keywords": "tells_languages",
}


def kind_of_ears(model: str) -> Ears:
    return next(ears for prefix, ears in EARS.items() if model.startswith(prefix))


def check(body: Mapping[str, Any], model: Model, *, translates: bool = False) -> Recording:
    """What is to be heard. Refused: what the schema takes but this model, or combination, does not; then a bad file."""
    ears = kind_of_ears(model.id)
    format = body.get("response_format") or "json"
    if translates and not model.id.startswith("whisper"):
        raise invalid(f"Invalid value: '{model.id}'. Value must be 'whisper-1'.", "model", "invalid_value")
    if format not in ears.formats:
        names = " or ".join(f"'{name}'" for name in ears.formats)
        raise invalid(f"response_format '{format}' is not compatible with model '{model.id}'. Use {names} instead.",
                      "response_format", "unsupported_value")  # fmt: skip
    for name, ability in NEEDS.items():
        if body.get(name) and not getattr(ears, ability):
            raise _unsupported(name, model)
    if body.get("include") and (not ears.tells_logprobs or format != "json"):
        raise _unsupported("include", model)
    if body.get("prompt") and ears.tells_speakers:
        raise _unsupported("prompt", model)
    if body.get("timestamp_granularities") and format != "verbose_json":
        raise invalid("'timestamp_granularities' needs response_format 'verbose_json'.", "timestamp_granularities",
                      "invalid_value")  # fmt: skip
    _check_language(body)
    _check_speakers(body)
    recording = _recorded(body)
    if ears.tells_speakers and recording.duration_s > LONGEST_UNCHUNKED_S and not body.get("chunking_strategy"):
        raise invalid(f"'chunking_strategy' is required for {model.id} beyond {LONGEST_UNCHUNKED_S} seconds.",
                      "chunking_strategy", "missing_required_parameter")  # fmt: skip
    return recording


def _unsupported(name: str, model: Model) -> Refused:
    return invalid(f"'{name}' is not supported by {model.id} in this request.", name, "unsupported_value")


def _check_language(body: Mapping[str, Any]) -> None:
    for name, codes in (("language", [body.get("language")]), ("languages", body.get("languages") or [])):
        for code in codes:
            if code and code not in LANGUAGES:
                raise invalid(f"Invalid language '{code}'. Languages are given by their codes in ISO 639-1.", name,
                              "invalid_language_format")  # fmt: skip


def _check_speakers(body: Mapping[str, Any]) -> None:
    names, samples = body.get("known_speaker_names") or [], body.get("known_speaker_references") or []
    if len(names) != len(samples):
        raise invalid(f"{len(names)} known speaker names need as many references, but got {len(samples)}.",
                      "known_speaker_references", "invalid_value")  # fmt: skip
    for sample in samples:
        if not sample.startswith(REFERENCE_PREFIX):
            raise invalid("Invalid 'known_speaker_references': expected data URLs.", "known_speaker_references",
                          "invalid_value")  # fmt: skip


def _recorded(body: Mapping[str, Any]) -> Recording:
    """The recording of a request. Refused: no file, too large, not to be heard."""
    file = body["file"]
    if not isinstance(file, Upload):
        raise invalid("Invalid type for 'file': expected a file, but got a string instead.", "file", "invalid_type")
    if len(file.data) > MOST_BYTES:
        raise Refused(
            refusal(413, f"Maximum content size limit ({MOST_BYTES}) exceeded ({len(file.data)} bytes read).")
        )
    try:
        return heard(file.data)
    except Unhearable:
        raise invalid(f"The audio file could not be decoded or its format is not supported. Supported formats: "
                      f"{ACCEPTED}.", "file", "invalid_value") from None  # fmt: skip


def translated(recording: Recording) -> Recording:
    """In English: words in ASCII count as such already, others become as many English ones."""
    if recording.words.isascii():
        return recording
    throw = dice("translated", recording.words)
    return Recording(recording.duration_s, tuple(islice(sentences(throw), len(recording.tokens))))
