"""Clauses of pictures: the answer that keeps each, the nearest one that breaks it, and legal ones that are unusual."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from made import answer, clauses_of, outcome_of, verdict_of
from made_media import SSE, events, formed, picture, status

from wireproof.clause import Call, Exchange, File

NOW = 1_760_000_000
USAGE = {
    "input_tokens": 10,
    "output_tokens": 272,
    "total_tokens": 282,
    "input_tokens_details": {"text_tokens": 10, "image_tokens": 0},
    "output_tokens_details": {"text_tokens": 0, "image_tokens": 272},
}
ASKED = {
    "model": "gpt-image-1",
    "prompt": "A boat.",
    "n": 2,
    "size": "64x48",
    "output_format": "jpeg",
    "quality": "low",
}
BODY: dict[str, Any] = {
    "created": NOW,
    "data": [{"b64_json": picture("jpeg", colour=1)}, {"b64_json": picture("jpeg", colour=200)}],
    "size": "64x48",
    "quality": "low",
    "background": "opaque",
    "output_format": "jpeg",
    "usage": USAGE,
}
URL: dict[str, Any] = {"created": NOW, "data": [{"url": "https://pictures.example/1.png"}]}
URL_ASKED = {"model": "dall-e-3", "prompt": "A boat.", "response_format": "url"}
CLEAR = {**ASKED, "n": 1, "output_format": "png", "background": "transparent"}
CLEAR_BODY: dict[str, Any] = {"created": NOW, "data": [{"b64_json": picture(alpha=True)}], "background": "transparent"}
WRONG: dict[str, Any] = {
    "error": {"message": "Invalid size", "type": "invalid_request_error", "param": "size", "code": None}
}
HUGE = {"model": "gpt-image-1", "prompt": "A boat.", "size": "huge"}


@pytest.fixture(scope="module")
def images(contract: Callable[[str], ModuleType]) -> ModuleType:
    return contract("images")


def made(body: Any = BODY, asked: dict[str, Any] = ASKED, **more: Any) -> Exchange:
    return answer(body, asked=asked, operation="createImage", **more)


def changed(**fields: Any) -> Exchange:
    return made({**BODY, **fields})


def using(**fields: Any) -> Exchange:
    return changed(usage={**USAGE, **fields})


KEPT: dict[str, Exchange] = {
    "": made(),
    "transparent_pictures_have_an_alpha_channel": made(CLEAR_BODY, CLEAR),
    "wrong_requests_are_refused": made(WRONG, HUGE, status=400),
    "refusals_name_the_field": made(WRONG, HUGE, status=400),
}
JPEG = BODY["data"][0]["b64_json"]
BROKEN: dict[str, tuple[str, Exchange]] = {
    "a bare array": ("answers_follow_the_schema", made(BODY["data"])),
    "null for data": ("answers_follow_the_schema", changed(data=None)),
    "no data": ("answers_follow_the_schema", made({"created": NOW})),
    "a picture that is a string": ("answers_follow_the_schema", changed(data=[JPEG])),
    "milliseconds": ("created_is_the_time_in_seconds", changed(created=NOW * 1000)),
    "a fraction of a second": ("created_is_the_time_in_seconds", changed(created=NOW + 0.5)),
    "one for two": ("as_many_pictures_as_asked", changed(data=BODY["data"][:1])),
    "two for one": ("as_many_pictures_as_asked", made(BODY, {"model": "m", "prompt": "p"})),
    "nothing in it": ("each_entry_is_a_picture", changed(data=[{"url": None, "b64_json": None}] * 2)),
    "an empty one": ("each_entry_is_a_picture", changed(data=[{"b64_json": ""}, {"b64_json": JPEG}])),
    "the same twice": ("pictures_of_one_answer_differ", changed(data=BODY["data"][:1] * 2)),
    "half of it": ("bytes_are_a_picture", changed(data=[{"b64_json": JPEG[: len(JPEG) // 8 * 4]}])),
    "a data URL": ("bytes_are_a_picture", changed(data=[{"b64_json": f"data:image/jpeg;base64,{JPEG}"}])),
    "no base64": ("bytes_are_a_picture", changed(data=[{"b64_json": "a boat"}])),
    "HTML": ("bytes_are_a_picture", changed(data=[{"b64_json": "PGh0bWw+PC9odG1sPg=="}])),
    "png for jpeg": ("pictures_have_the_format_asked", changed(data=[{"b64_json": picture()}])),
    "told to be webp": ("format_is_told_as_it_is", changed(output_format="webp")),
    "another size": ("pictures_have_the_size_asked", changed(data=[{"b64_json": picture("jpeg", 48, 48)}])),
    "told to be square": ("size_is_told_as_it_is", changed(size="64x64")),
    "no alpha": (
        "transparent_pictures_have_an_alpha_channel",
        made({**CLEAR_BODY, "data": [{"b64_json": picture()}]}, CLEAR),
    ),
    "told to be transparent": ("transparent_pictures_have_an_alpha_channel", changed(background="transparent")),
    "a total that is off": ("usage_adds_up", using(total_tokens=283)),
    "details that are off": ("usage_adds_up", using(input_tokens_details={"text_tokens": 9, "image_tokens": 0})),
    "nothing for the prompt": ("words_and_pictures_are_counted", using(input_tokens=0, total_tokens=272)),
    "nothing for the picture": ("words_and_pictures_are_counted", using(output_tokens=0, total_tokens=10)),
    "another quality": ("the_quality_is_told_as_asked", changed(quality="high")),
    "told to be opaque": (
        "transparent_pictures_have_an_alpha_channel",
        made({**CLEAR_BODY, "background": "opaque"}, CLEAR),
    ),
    "less than nothing": ("usage_adds_up", using(input_tokens=-10, total_tokens=262)),
    "a size guessed": ("wrong_requests_are_refused", made(BODY, HUGE)),
    "a server error": ("wrong_requests_are_refused", made(WRONG, HUGE, status=500)),
    "none at all": ("wrong_requests_are_refused", made(BODY, {**ASKED, "n": 0})),
    "no prompt": ("wrong_requests_are_refused", made(BODY, {"model": "gpt-image-1"})),
    "no param": (
        "refusals_name_the_field",
        made({"error": {**WRONG["error"], "param": None}}, HUGE, status=400),
    ),
    "another param": (
        "refusals_name_the_field",
        made({"error": {**WRONG["error"], "param": "model"}}, HUGE, status=400),
    ),
}


def test_every_clause_has_a_pair(images: ModuleType) -> None:
    assert {one.__name__ for one in clauses_of(images)} == {clause for clause, _ in BROKEN.values()}


@pytest.mark.parametrize("case", BROKEN)
def test_a_clause_tells_the_kept_answer_from_the_broken_one(images: ModuleType, case: str) -> None:
    clause, broken = BROKEN[case]
    assert outcome_of(getattr(images, clause), KEPT.get(clause, KEPT[""])) == "pass"
    assert outcome_of(getattr(images, clause), KEPT[""], broken) == "fail"


SD = {"model": "sd-turbo", "prompt": "A boat.", "size": "64x48", "response_format": "b64_json"}
NULLS = {**BODY, "background": None, "quality": None, "usage": None, "output_format": None, "size": None}
LEGAL: dict[str, Exchange] = {
    "only what is required": made({"created": NOW, "data": BODY["data"]}),
    "null for what is absent": made(NULLS),
    "more keys": made({**BODY, "id": "img_1", "data": [{**entry, "seed": 7} for entry in BODY["data"]]}),
    "null for the other form": made({"created": NOW, "data": [{"b64_json": picture(), "url": None}]}, SD),
    "a prompt revised": made({**URL, "data": [{**URL["data"][0], "revised_prompt": "A red boat."}]}, URL_ASKED),
    "a url unasked": made(URL, {"model": "dall-e-2", "prompt": "A boat."}),
    "a url of a service on this machine": made({"created": NOW, "data": [{"url": "http://127.0.0.1/1"}]}, URL_ASKED),
    "usage of zeros": made({**BODY, "usage": dict.fromkeys(("input_tokens", "output_tokens", "total_tokens"), 0)
                            | {"input_tokens_details": {"text_tokens": 0, "image_tokens": 0}}}),
    "usage with details of cached tokens": using(
        input_tokens_details={"text_tokens": 10, "image_tokens": 0, "cached_tokens": 8}
    ),
    "quality left to the model": made({**BODY, "quality": "ultra"}, {**ASKED, "quality": "auto"}),
    "size left to the model": made({**BODY, "data": BODY["data"][:1]}, {"model": "m", "prompt": "p", "size": "auto"}),
    "an alpha channel unasked": made({"created": NOW, "data": [{"b64_json": picture(alpha=True)}]}, SD),
    "not served": made(WRONG, HUGE, status=501),
    "no such model": made({"error": {"message": "no", "type": "invalid_request_error", "code": "model_not_found"}},
                          HUGE, status=404),
    "throttled": made(WRONG, HUGE, status=429),
    "refused as unprocessable": made(WRONG, HUGE, status=422),
}  # fmt: skip


@pytest.mark.parametrize("case", LEGAL)
def test_a_legal_answer_raises_no_finding(images: ModuleType, case: str) -> None:
    found = {one.__name__: verdict_of(one, LEGAL[case]).findings for one in clauses_of(images)}
    assert {name: findings for name, findings in found.items() if findings} == {}


def test_an_edit_is_asked_for_in_a_form(images: ModuleType) -> None:
    fields: list[tuple[str, str | File]] = [
        ("model", "gpt-image-1"),
        ("prompt", "p"),
        ("n", "2"),
        ("size", "64x48"),
        ("image", File("a.png", b"x")),
    ]
    body: dict[str, Any] = {"created": NOW, "data": [{"b64_json": picture(colour=1)}, {"b64_json": picture(colour=9)}]}
    edit = formed(body, fields, operation="createImageEdit", path="/images/edits")
    assert outcome_of(images.as_many_pictures_as_asked, edit) == "pass"
    assert outcome_of(images.pictures_have_the_size_asked, edit) == "pass"
    short = formed({**body, "data": body["data"][:1]}, fields, operation="createImageEdit", path="/images/edits")
    assert outcome_of(images.as_many_pictures_as_asked, short) == "fail"


@pytest.mark.parametrize(
    "said", ["text", [], b"<html>", {"data": 1}, {"data": [3, {"b64_json": 5, "url": []}]}, None], ids=str
)
@pytest.mark.parametrize("code", [200, 400])
def test_no_clause_stumbles_over_a_malformed_answer(images: ModuleType, said: Any, code: int) -> None:
    for asked in (ASKED, HUGE, URL_ASKED, CLEAR):
        for clause in clauses_of(images):
            assert "the clause itself failed" not in verdict_of(clause, made(said, asked, status=code)).reason


def walked(run: Any, *codes: int) -> list[Call]:
    """The calls of a flow when it is answered so."""
    calls, going = [], run.run()
    call = next(going)
    for code in codes:
        calls.append(call)
        try:
            call = going.send(status(made(BODY), code))
        except StopIteration:
            break
    return calls


def test_what_a_model_does_not_take_is_asked_for_more_plainly(images: ModuleType) -> None:
    assert [call.body.get("n") for call in walked(images.two_pictures, 200, 200)] == [2]
    assert [call.body.get("n") for call in walked(images.two_pictures, 400, 400, 400, 400)] == [2, 2, None]
    assert len(walked(images.an_edit_under_a_mask, 400, 400)) == 2
    assert len(walked(images.an_edit_under_a_mask, 503)) == 1


def test_the_picture_that_is_edited_is_counted(images: ModuleType) -> None:
    fields: list[tuple[str, str | File]] = [("prompt", "p"), ("image", File("a.png", b"x"))]
    usage = {**USAGE, "input_tokens": 30, "total_tokens": 302}

    def edit(**details: int) -> str:
        body = {"created": NOW, "data": [{"b64_json": picture()}], "usage": {**usage, "input_tokens_details": details}}
        made_edit = formed(body, fields, operation="createImageEdit", path="/images/edits")
        return outcome_of(images.words_and_pictures_are_counted, made_edit)

    assert edit(text_tokens=10, image_tokens=20) == "pass"
    assert edit(text_tokens=30) == "pass"
    assert edit(text_tokens=30, image_tokens=0) == "fail"


def test_pictures_of_a_stream_are_read_too(images: ModuleType) -> None:
    asked = {**ASKED, "stream": True, "n": 1, "output_format": "png"}
    event = {"type": "image_generation.completed", "b64_json": picture(), "size": "64x48", "output_format": "png",
             "created_at": NOW}  # fmt: skip
    kept = made(events({**event, "usage": USAGE}), asked, headers=SSE)
    broken = made(
        events({**event, "b64_json": picture("jpeg"), "usage": {**USAGE, "total_tokens": 1}, "created_at": NOW * 1000}),
        asked,
        headers=SSE,
    )
    for clause in (
        "created_is_the_time_in_seconds",
        "bytes_are_a_picture",
        "pictures_have_the_size_asked",
        "usage_adds_up",
        "format_is_told_as_it_is",
    ):
        assert outcome_of(getattr(images, clause), kept) == "pass"
    for clause in (
        "created_is_the_time_in_seconds",
        "pictures_have_the_format_asked",
        "usage_adds_up",
        "format_is_told_as_it_is",
    ):
        assert outcome_of(getattr(images, clause), broken) == "fail"


def test_a_preview_that_is_announced_is_there(images: ModuleType) -> None:
    event = {"type": "image_generation.partial_image", "b64_json": "", "partial_image_index": 0, "created_at": NOW}
    assert outcome_of(images.bytes_are_a_picture, made(events(event), {**ASKED, "stream": True}, headers=SSE)) == "fail"
