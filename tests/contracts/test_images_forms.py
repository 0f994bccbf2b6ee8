"""Clauses of the form that pictures come in: bytes, or URLs and what lies behind them."""

from __future__ import annotations

import base64
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from made import answer, clauses_of, outcome_of, verdict_of
from made_media import picture, status

from wireproof.clause import Call, Exchange, Trouble

NOW = 1_760_000_000
PNG, SMALL = base64.b64decode(picture()), base64.b64decode(picture("png", 8, 8))
PLACE = "https://pictures.example/1.png?sig=2"
ASKED = {"model": "dall-e-2", "prompt": "A boat.", "size": "64x48", "response_format": "url"}
BYTES_ASKED = {**ASKED, "response_format": "b64_json"}


@pytest.fixture(scope="module")
def forms(contract: Callable[[str], ModuleType]) -> ModuleType:
    return contract("images_forms")


def made(*entries: Any, asked: dict[str, Any] = ASKED, **more: Any) -> Exchange:
    body = {"created": NOW, "data": list(entries)}
    return answer(body, asked=asked, operation="createImage", probe="images.url", **more)


def at(url: str, **more: Any) -> Exchange:
    return made({"url": url}, **more)


def fetched(
    body: bytes = PNG,
    type: str = "image/png",
    place: str = PLACE,
    code: int | None = 200,
    trouble: Trouble | None = None,
) -> Exchange:
    return answer(
        body, operation=None, method="GET", path=place, probe="images.url", step=1, status=code,
        headers=(("content-type", type),), trouble=trouble,
    )  # fmt: skip


def missed(kind: str, place: str = PLACE, code: int | None = None) -> tuple[Exchange, ...]:
    return at(place), fetched(b"", "", place, code, Trouble(kind, f"{kind} it was", False))


KEPT = (at(PLACE), fetched())
BROKEN: dict[str, tuple[str, tuple[Exchange, ...]]] = {
    "bytes for a url": ("pictures_come_in_the_form_asked", (made({"b64_json": picture()}),)),
    "a url for bytes": ("pictures_come_in_the_form_asked", (at(PLACE, asked=BYTES_ASKED),)),
    "a url of a GPT image model": (
        "pictures_come_in_the_form_asked",
        (at(PLACE, asked={"model": "gpt-image-1", "prompt": "A boat."}),),
    ),
    "both": ("a_picture_comes_in_one_form", (made({"url": PLACE, "b64_json": picture()}),)),
    "a path": ("urls_lead_somewhere", (at("/files/1.png"),)),
    "a file": ("urls_lead_somewhere", (at("file:///tmp/1.png"),)),
    "a blank in it": ("urls_lead_somewhere", (at("https://pictures.example/a boat.png"),)),
    "what a server binds to": ("urls_lead_somewhere", (at("http://0.0.0.0:8080/1.png"),)),
    "nothing there": ("a_url_brings_its_picture", (at(PLACE), fetched(code=404))),
    "a key is wanted": ("a_url_brings_its_picture", (at(PLACE), fetched(code=401))),
    "a page": ("a_url_brings_its_picture", (at(PLACE), fetched(b"<html>Sign in", "text/html"))),
    "half of it": ("a_url_brings_its_picture", (at(PLACE), fetched(PNG[:-20]))),
    "the client's own machine": ("a_url_brings_its_picture", missed("elsewhere", "http://localhost:8080/1.png")),
    "a closed port": ("a_url_brings_its_picture", missed("unreachable", "http://models.example:8080/1.png")),
    "a data URL of nothing": ("a_url_brings_its_picture", (at("data:image/png;base64,AAAA"),)),
    "a thumbnail": ("a_fetched_picture_has_the_size_asked", (at(PLACE), fetched(SMALL))),
    "a thumbnail in a data URL": (
        "a_fetched_picture_has_the_size_asked",
        (at(f"data:image/png;base64,{picture('png', 8, 8)}"),),
    ),
    "typed as text": ("a_fetched_picture_is_typed_as_what_it_is", (at(PLACE), fetched(type="text/plain"))),
    "typed as another": ("a_fetched_picture_is_typed_as_what_it_is", (at(PLACE), fetched(type="image/webp"))),
}  # fmt: skip


def test_every_clause_has_a_pair(forms: ModuleType) -> None:
    assert {one.__name__ for one in clauses_of(forms)} == {clause for clause, _ in BROKEN.values()}


@pytest.mark.parametrize("case", BROKEN)
def test_a_clause_tells_the_kept_answer_from_the_broken_one(forms: ModuleType, case: str) -> None:
    clause, broken = BROKEN[case]
    assert outcome_of(getattr(forms, clause), *KEPT) == "pass"
    assert outcome_of(getattr(forms, clause), *broken) == "fail"


LEGAL: dict[str, tuple[Exchange, ...]] = {
    "bytes asked for": (made({"b64_json": picture(), "url": None}, asked=BYTES_ASKED),),
    "an empty url beside the bytes": (made({"b64_json": picture(), "url": ""}, asked=BYTES_ASKED),),
    "a url unasked": (at(PLACE, asked={"model": "dall-e-2", "prompt": "A boat."}), fetched()),
    "a picture in a data URL": (at(f"data:image/png;base64,{picture()}"),),
    "a service on this machine": (at("http://127.0.0.1/1"), fetched(place="http://127.0.0.1/1")),
    "bytes of no stated kind": (at(PLACE), fetched(type="application/octet-stream")),
    "its type in capitals": (at(PLACE), fetched(type="Image/PNG; charset=binary")),
    "a JPEG": (at(PLACE), fetched(base64.b64decode(picture("jpeg")), "image/jpeg")),
    "a store of its own network": missed("elsewhere", "http://store.internal/1.png"),
    "another host by a redirect": missed("redirect", code=302),
    "a store that is not reached from here": missed("unreachable"),
    "a store that is busy": (at(PLACE), fetched(b"", code=503)),
    "a size left to the model": (at(PLACE, asked={**ASKED, "size": "auto"}), fetched()),
    "refused": (made(asked=ASKED, status=400),),
}


@pytest.mark.parametrize("case", LEGAL)
def test_a_legal_answer_raises_no_finding(forms: ModuleType, case: str) -> None:
    found = {one.__name__: verdict_of(one, *LEGAL[case]).findings for one in clauses_of(forms)}
    assert {name: findings for name, findings in found.items() if findings} == {}


@pytest.mark.parametrize("said", ["text", [], b"<html>", {"data": [3, {"b64_json": 5, "url": ["x"]}]}, None], ids=str)
def test_no_clause_stumbles_over_a_malformed_answer(forms: ModuleType, said: Any) -> None:
    odd = answer(said, asked=ASKED, operation="createImage", probe="images.url")
    for clause in clauses_of(forms):
        assert "the clause itself failed" not in verdict_of(clause, odd, fetched(place="http://[", code=200)).reason


def asked_next(forms: ModuleType, *answers: Exchange) -> list[Call]:
    """The calls of the flow when it is answered so."""
    going = forms.a_picture_to_be_fetched.run()
    calls = [next(going)]
    for one in answers:
        try:
            calls.append(going.send(one))
        except StopIteration:
            break
    return calls


def test_what_a_url_leads_to_is_fetched_without_the_key(forms: ModuleType) -> None:
    calls = asked_next(forms, status(made(), 400), at(PLACE), fetched())
    assert [call.body and call.body["model"] for call in calls] == ["$image-model", "dall-e-2", None]
    assert (calls[-1].method, calls[-1].path, calls[-1].auth) == ("GET", PLACE, "none")


@pytest.mark.parametrize("url", ["/files/1.png", "file:///tmp/1.png", "data:image/png;base64,AAAA", "http://a b/"])
def test_what_leads_nowhere_is_not_fetched(forms: ModuleType, url: str) -> None:
    assert len(asked_next(forms, at(url))) == 1
