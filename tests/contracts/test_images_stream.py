"""Clauses of streamed pictures: the stream that keeps each, and the nearest one that breaks it."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from made import answer, clauses_of, outcome_of, verdict_of
from made_media import SSE, events, picture

from wireproof.clause import Exchange

ASKED = {"model": "gpt-image-1", "prompt": "A boat.", "stream": True, "partial_images": 2}
SHARED: dict[str, Any] = {
    "b64_json": picture(),
    "created_at": 1_760_000_000,
    "size": "64x48",
    "quality": "low",
    "background": "opaque",
    "output_format": "png",
}
USAGE = {
    "input_tokens": 1,
    "output_tokens": 2,
    "total_tokens": 3,
    "input_tokens_details": {"text_tokens": 1, "image_tokens": 0},
}
FIRST, SECOND = ({"type": "image_generation.partial_image", **SHARED, "partial_image_index": at} for at in (0, 1))
DONE: dict[str, Any] = {"type": "image_generation.completed", **SHARED, "usage": USAGE}


@pytest.fixture(scope="module")
def images(contract: Callable[[str], ModuleType]) -> ModuleType:
    return contract("images_stream")


def streamed(*bodies: Any, names: dict[int, str] | None = None, asked: dict[str, Any] = ASKED, **more: Any) -> Exchange:
    said = events(*bodies, names=names)
    return answer(said, asked=asked, operation=more.pop("operation", "createImage"), headers=SSE, **more)


def dropped(event: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in event.items() if key != name}


KEPT = streamed(FIRST, SECOND, DONE, names={0: "image_generation.partial_image", 2: "image_generation.completed"})
EDITED = [{**event, "type": event["type"].replace("generation", "edit")} for event in (FIRST, DONE)]
BROKEN: dict[str, tuple[str, Exchange]] = {
    "no size": ("events_follow_the_schema", streamed(dropped(FIRST, "size"), DONE)),
    "no index": ("events_follow_the_schema", streamed(dropped(FIRST, "partial_image_index"), DONE)),
    "no usage": ("events_follow_the_schema", streamed(dropped(DONE, "usage"))),
    "no JSON": ("events_follow_the_schema", streamed("busy", DONE)),
    "an edit's names": ("events_are_called_as_documented", streamed(*EDITED)),
    "a generation's names": (
        "events_are_called_as_documented",
        streamed(FIRST, DONE, operation="createImageEdit", path="/images/edits"),
    ),
    "another line": ("events_are_called_as_documented", streamed(FIRST, DONE, names={1: "message"})),
    "no type": ("events_are_called_as_documented", streamed(dropped(FIRST, "type"), DONE)),
    "previews alone": ("a_stream_ends_with_its_picture", streamed(FIRST, SECOND)),
    "the picture twice": ("a_stream_ends_with_its_picture", streamed(FIRST, DONE, DONE)),
    "a preview behind it": ("a_stream_ends_with_its_picture", streamed(FIRST, DONE, SECOND)),
    "counted from 1": ("previews_are_counted_from_0", streamed(SECOND, DONE)),
    "one left out": ("previews_are_counted_from_0", streamed(FIRST, {**SECOND, "partial_image_index": 2}, DONE)),
    "too many": (
        "previews_are_counted_from_0",
        streamed(FIRST, SECOND, DONE, asked={**ASKED, "partial_images": 1}),
    ),
    "unasked": ("previews_are_counted_from_0", streamed(FIRST, DONE, asked=dropped(ASKED, "partial_images"))),
}


def test_every_clause_has_a_pair(images: ModuleType) -> None:
    assert {one.__name__ for one in clauses_of(images)} == {clause for clause, _ in BROKEN.values()}


@pytest.mark.parametrize("case", BROKEN)
def test_a_clause_tells_the_kept_stream_from_the_broken_one(images: ModuleType, case: str) -> None:
    clause, broken = BROKEN[case]
    assert outcome_of(getattr(images, clause), KEPT) == "pass"
    assert outcome_of(getattr(images, clause), broken) == "fail"


LEGAL = {
    "no previews": streamed(DONE),
    "fewer previews": streamed(FIRST, DONE),
    "an end mark": streamed(FIRST, DONE, "[DONE]"),
    "a ping": streamed({"type": "ping"}, FIRST, DONE),
    "more keys": streamed({**FIRST, "sequence_number": 0}, {**DONE, "revised_prompt": "A red boat."}),
    "the names of lines alone for some": streamed(FIRST, DONE, names={0: "image_generation.partial_image"}),
    "quality of a later model": streamed({**DONE, "quality": "ultra"}),
    "an edit": streamed(*EDITED, operation="createImageEdit", path="/images/edits"),
    "an error in its place": streamed(FIRST, {"error": {"message": "busy", "type": "server_error"}}),
    "a refusal": answer({"error": {"message": "no", "type": "invalid_request_error"}}, asked=ASKED, status=400,
                        operation="createImage"),
}  # fmt: skip


@pytest.mark.parametrize("case", LEGAL)
def test_a_legal_stream_raises_no_finding(images: ModuleType, case: str) -> None:
    found = {one.__name__: verdict_of(one, LEGAL[case]).findings for one in clauses_of(images)}
    assert {name: findings for name, findings in found.items() if findings} == {}


@pytest.mark.parametrize("said", [[], 5, {"type": 7}, {"type": "image_generation.completed"}, {"error": "x"}], ids=str)
def test_no_clause_stumbles_over_a_malformed_event(images: ModuleType, said: Any) -> None:
    for clause in clauses_of(images):
        assert "the clause itself failed" not in verdict_of(clause, streamed(said, DONE)).reason
