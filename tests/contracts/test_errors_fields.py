"""contracts/errors_fields.py: a broken field, on whatever operation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from made import answer, clauses_of, outcome_of, verdict_of

from wireproof.clause import Exchange, File, form

Clauses = Mapping[str, Any]


@pytest.fixture(scope="module")
def errors(contract: Callable[[str], ModuleType]) -> Clauses:
    return {one.__name__: one for one in clauses_of(contract("errors_fields"))}


def refused(status: int = 400, param: Any = "encoding_format", **asked: Any) -> Exchange:
    """The refusal of vectors in a format that there is not."""
    error = {"message": "No.", "type": "invalid_request_error", "param": param, "code": None}
    body = {"model": "m", "input": "Hi", "encoding_format": "hex", **asked}
    return answer({"error": error}, status=status, asked=body, operation="createEmbedding")


def listed(status: int = 400, param: Any = "limit", **query: str) -> Exchange:
    """The refusal of a page."""
    error = {"message": "No.", "type": "invalid_request_error", "param": param, "code": None}
    made = answer({"error": error}, status=status, operation="listFiles", method="GET", path="/files")
    return replace(made, request=replace(made.request, query=query))


def uploaded(*fields: tuple[str, str | File], status: int = 400, param: Any = "size") -> Exchange:
    """The refusal of a form."""
    call = form("/images/edits", fields)
    error = {"message": "No.", "type": "invalid_request_error", "param": param, "code": None}
    return answer(
        {"error": error}, status=status, asked=call.body, operation="createImageEdit", sent_headers=call.headers.items()
    )


PICTURE = ("image", File("a.png", b"a"))
SERVED = answer({"object": "list"}, asked={"model": "m", "input": "Hi"}, operation="createEmbedding")


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_broken_field_is_refused_as_one(errors: Clauses, status: int) -> None:
    assert outcome_of(errors["a_broken_field_is_no_missing_thing"], SERVED, refused(status)) == "pass"


@pytest.mark.parametrize("status", [404, 405, 409, 410, 418])
def test_a_broken_field_is_not_answered_as_something_else(errors: Clauses, status: int) -> None:
    verdict = verdict_of(errors["a_broken_field_is_no_missing_thing"], SERVED, refused(status))
    assert verdict.outcome == "fail"
    assert "encoding_format" in verdict.findings[0].expected


@pytest.mark.parametrize(
    "exchange",
    [refused(404), refused(401), refused(429), refused(500), refused(200), refused(404, encoding_format="float")],
    ids=["not served", "no key", "too many", "a fault of the server", "taken", "nothing is broken"],
)
def test_what_says_nothing_about_the_field_is_left_alone(errors: Clauses, exchange: Exchange) -> None:
    assert outcome_of(errors["a_broken_field_is_no_missing_thing"], exchange) == "not-applicable"


def test_a_missing_thing_may_be_missing(errors: Clauses) -> None:
    assert outcome_of(errors["a_broken_field_is_no_missing_thing"], SERVED, refused(404, encoding_format="float")) == (
        "not-applicable"
    )


KEPT = {
    "its name": refused(),
    "a place in it": refused(param="encoding_format[0]"),
    "one of two": refused(param="input", input=""),
    "a query": listed(limit="0"),
    "a form": uploaded(("prompt", "A"), ("n", "many"), PICTURE, param="n"),
    "a file that lacks": uploaded(("prompt", "A"), param="image"),
}


@pytest.mark.parametrize("exchange", KEPT.values(), ids=list(KEPT))
def test_param_names_the_field(errors: Clauses, exchange: Exchange) -> None:
    assert outcome_of(errors["param_names_the_broken_field"], exchange) == "pass"


BROKEN = {
    "null": refused(param=None),
    "another": refused(param="model"),
    "another of a query": listed(param="order", limit="0"),
    "none of a form": uploaded(("prompt", "A"), ("n", "many"), PICTURE, param=None),
}


@pytest.mark.parametrize("exchange", BROKEN.values(), ids=list(BROKEN))
def test_null_or_another_field_is_told(errors: Clauses, exchange: Exchange) -> None:
    assert outcome_of(errors["param_names_the_broken_field"], exchange) == "fail"


UNTOLD = {
    "nothing is broken": refused(param=None, encoding_format="float"),
    "a page of all": listed(param=None, limit="20", purpose="batch"),
    "a whole form": uploaded(("prompt", "A"), ("n", "2"), PICTURE, param=None),
    "a list in a form": uploaded(("prompt", "A"), ("image[]", PICTURE[1]), param=None),
}


@pytest.mark.parametrize("exchange", UNTOLD.values(), ids=list(UNTOLD))
def test_a_request_without_a_broken_field_says_nothing(errors: Clauses, exchange: Exchange) -> None:
    assert outcome_of(errors["param_names_the_broken_field"], exchange) == "not-applicable"
