"""What the descriptions of pictures, sound, films and moderations take: one legal object each, and its breaches."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from wireproof.spec import load_spec

PICTURES = {
    "created": 1760000000,
    "data": [{"b64_json": "iVBORw0KGgo="}],
    "background": "opaque",
    "output_format": "png",
    "size": "1024x1536",
    "quality": "high",
    "usage": {
        "input_tokens": 9,
        "output_tokens": 6208,
        "total_tokens": 6217,
        "input_tokens_details": {"text_tokens": 9, "image_tokens": 0},
    },
}
PREVIEW = {
    "type": "image_generation.partial_image",
    "b64_json": "iVBORw0KGgo=",
    "created_at": 1760000000,
    "size": "1024x1024",
    "quality": "low",
    "background": "auto",
    "output_format": "webp",
    "partial_image_index": 0,
}
SEGMENT = {
    "id": 0,
    "seek": 0,
    "start": 0.0,
    "end": 1.5,
    "text": " Hello there.",
    "tokens": [50364, 2425],
    "temperature": 0.0,
    "avg_logprob": -0.2,
    "compression_ratio": 1.1,
    "no_speech_prob": 0.01,
}
VERBOSE = {
    "task": "transcribe",
    "language": "english",
    "duration": 1.5,
    "text": "Hello there.",
    "segments": [SEGMENT],
    "words": [{"word": "Hello", "start": 0.0, "end": 0.6}],
    "usage": {"type": "duration", "seconds": 2},
}
DIARIZED = {
    "task": "transcribe",
    "duration": 1.5,
    "text": "Hello there.",
    "segments": [
        {"type": "transcript.text.segment", "id": "seg_0", "start": 0.0, "end": 1.5, "text": "Hello", "speaker": "A"}
    ],
    "usage": {"type": "tokens", "input_tokens": 15, "output_tokens": 3, "total_tokens": 18},
}
CATEGORIES = tuple(load_spec().document["components"]["schemas"]["ModerationFlags"]["required"])
MODERATED = {
    "id": "modr-1",
    "model": "omni-moderation-2024-09-26",
    "results": [
        {
            "flagged": False,
            "categories": dict.fromkeys(CATEGORIES, False),
            "category_scores": dict.fromkeys(CATEGORIES, 0.01),
            "category_applied_input_types": {name: ["text"] for name in CATEGORIES},
        }
    ],
}
FILM = {
    "id": "video_1",
    "object": "video",
    "model": "sora-2",
    "status": "queued",
    "progress": 0,
    "created_at": 1760000000,
    "completed_at": None,
    "expires_at": None,
    "prompt": "A lighthouse",
    "size": "720x1280",
    "seconds": "4",
    "remixed_from_video_id": None,
    "error": None,
}
LEGAL = {
    "GeneratedImages": PICTURES,
    "ImageGenerationEvent": PREVIEW,
    "TranscriptionVerbose": VERBOSE,
    "TranscriptionDiarized": DIARIZED,
    "Moderation": MODERATED,
    "Video": FILM,
    "ImageRequest": {"prompt": "A lighthouse", "size": "1536x864", "partial_images": 3, "n": None},
    "ImageReference": {"file_id": "file-1"},
    "SpeechRequest": {"model": "tts-1", "input": "Hello", "voice": {"id": "voice_1"}, "speed": 0.25},
    "ModerationAsk": {"input": [{"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}]},
    "VideoExtensionRequest": {"video": {"id": "video_1"}, "prompt": "On and on", "seconds": "20"},
}
GONE = object()
BREACHES: list[tuple[str, str, Any]] = [
    ("GeneratedImages", "created", GONE),
    ("GeneratedImages", "size", "auto"),
    ("GeneratedImages", "background", "auto"),
    ("GeneratedImages", "usage.input_tokens_details", GONE),
    ("GeneratedImages", "usage.output_tokens", -1),
    ("ImageGenerationEvent", "type", "image_edit.partial_image"),
    ("ImageGenerationEvent", "partial_image_index", GONE),
    ("ImageGenerationEvent", "b64_json", None),
    ("ImageGenerationEvent", "output_format", "gif"),
    ("TranscriptionVerbose", "segments.0.tokens", GONE),
    ("TranscriptionVerbose", "duration", "1.5"),
    ("TranscriptionVerbose", "usage.type", "tokens"),
    ("TranscriptionVerbose", "words.0.end", GONE),
    ("TranscriptionDiarized", "segments.0.speaker", GONE),
    ("TranscriptionDiarized", "segments.0.id", 0),
    ("TranscriptionDiarized", "usage", {"type": "tokens", "seconds": 2}),
    ("Moderation", "results.0.categories.violence/graphic", GONE),
    ("Moderation", "results.0.categories.hate", None),
    ("Moderation", "results.0.category_scores.hate", 1.5),
    ("Moderation", "results.0.category_applied_input_types.hate", ["image"]),
    ("Video", "error", GONE),
    ("Video", "status", "cancelled"),
    ("Video", "seconds", 4),
    ("Video", "progress", 101),
    ("ImageRequest", "prompt", ""),
    ("ImageRequest", "size", "large"),
    ("ImageRequest", "partial_images", 4),
    ("ImageRequest", "n", 11),
    ("ImageReference", "image_url", "https://example.org/a.png"),
    ("ImageReference", "file_id", GONE),
    ("SpeechRequest", "speed", 0.2),
    ("SpeechRequest", "input", "x" * 4097),
    ("SpeechRequest", "voice", {"id": "voice_1", "name": "me"}),
    ("SpeechRequest", "tempo", 1),
    ("ModerationAsk", "input", []),
    ("ModerationAsk", "input", ["Hello", {"type": "text", "text": "there"}]),
    ("VideoExtensionRequest", "seconds", "6"),
    ("VideoExtensionRequest", "video", "video_1"),
]


def broken(body: Any, path: str, value: Any) -> Any:
    """`body` with what `path` (`results.0.flagged`) names set to `value`, or gone."""
    body = copy.deepcopy(body)
    *parents, last = [int(part) if part.isdecimal() else part for part in path.split(".")]
    place = body
    for part in parents:
        place = place[part]
    if value is GONE:
        del place[last]
    else:
        place[last] = value
    return body


@pytest.mark.parametrize("name", LEGAL)
def test_a_legal_object_is_taken(name: str) -> None:
    assert list(load_spec().schema(name).violations(LEGAL[name])) == []


@pytest.mark.parametrize(("name", "path", "value"), BREACHES, ids=[f"{n}.{p}" for n, p, _ in BREACHES])
def test_the_nearest_breach_is_refused(name: str, path: str, value: Any) -> None:
    assert not load_spec().schema(name).holds(broken(LEGAL[name], path, value))


def test_an_answer_of_every_format_is_a_transcription() -> None:
    schema = load_spec().schema("TranscriptionAnswer")
    assert all(schema.holds(body) for body in ({"text": ""}, VERBOSE, DIARIZED))
    assert not schema.holds({"language": "english", "duration": 1.0})


def test_there_are_thirteen_categories_in_each_of_the_three_places() -> None:
    schemas = load_spec().document["components"]["schemas"]
    for name in ("ModerationFlags", "ModerationScores", "ModerationInputs"):
        assert tuple(schemas[name]["properties"]) == tuple(schemas[name]["required"]) == CATEGORIES
    assert len(CATEGORIES) == 13
