"""The laws of cursor lists, on made rows."""

from __future__ import annotations

from typing import Any

import pytest
from standin.asking import ask

from wireproof.spec import load_spec
from wireproof.standin.call import Call
from wireproof.standin.paging import page
from wireproof.standin.refusals import Refused

ROWS = [{"id": f"row_{number}", "_secret": number} for number in range(10)]


def listed(**query: Any) -> dict[str, Any]:
    operation = load_spec().operations["listChatCompletions"]
    call = Call(ask("GET", "/x"), operation, "", "", 0.0, {}, query, {}, {}, lambda: "")
    answer: dict[str, Any] = page(ROWS, call).json
    return answer


def ids(answer: dict[str, Any]) -> list[str]:
    return [row["id"] for row in answer["data"]]


ALL = [row["id"] for row in ROWS]


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 3, 5, 10, 100])
def test_pages_together_are_the_whole_each_row_once(order: str, limit: int) -> None:
    seen: list[str] = []
    query: dict[str, Any] = {"order": order, "limit": limit}
    while True:
        answer = listed(**query)
        seen += ids(answer)
        assert (answer["first_id"], answer["last_id"]) == (answer["data"][0]["id"], answer["data"][-1]["id"])
        if not answer["has_more"]:
            break
        query["after"] = answer["last_id"]
    assert seen == (ALL if order == "asc" else ALL[::-1])


def test_has_more_is_false_exactly_at_the_end() -> None:
    assert listed(limit=9)["has_more"] is True
    assert listed(limit=10)["has_more"] is False
    assert listed(limit=3, after="row_6")["has_more"] is False


def test_before_gives_the_page_that_ends_there() -> None:
    answer = listed(limit=3, before="row_5")
    assert (ids(answer), answer["has_more"]) == (["row_2", "row_3", "row_4"], True)
    assert listed(limit=3, before="row_2")["has_more"] is False
    assert ids(listed(after="row_2", before="row_5")) == ["row_3", "row_4"]


def test_private_fields_are_not_told() -> None:
    assert listed(limit=1)["data"] == [{"id": "row_0"}]


def test_an_empty_page_has_no_cursors() -> None:
    answer = listed(after="row_9")
    assert (answer["data"], answer["first_id"], answer["last_id"], answer["has_more"]) == ([], None, None, False)


def test_a_cursor_that_is_no_row_is_refused() -> None:
    with pytest.raises(Refused):
        listed(after="row_99")
