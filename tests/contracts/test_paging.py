"""contracts/paging.py on pages made by hand: what may differ between two looks at a list, and what may not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import count
from types import ModuleType
from typing import Any

import pytest
from made import answer, outcome_of

from wireproof.clause import Exchange

NOON = 1_760_000_000.0
Make = Callable[..., Exchange]


@pytest.fixture(scope="module")
def paging(contract: Callable[[str], ModuleType]) -> ModuleType:
    return contract("paging")


class Flow:
    """Exchanges of one flow, a second after one another."""

    def __init__(self) -> None:
        self.steps: Iterator[int] = count()

    def _told(
        self, body: Any, operation: str | None, method: str, path: str, query: dict[str, str], **more: Any
    ) -> Exchange:
        step = next(self.steps)
        at = more.pop("started", NOON + step)
        one = answer(body, operation=operation, method=method, path=path, probe="p", step=step, started=at, **more)
        return replace(one, request=replace(one.request, query=query))

    def made(self, id: str, created: int | None = None, **more: Any) -> Exchange:
        told = {} if created is None else {"created_at": created}
        return self._told({"id": id, "object": "file"} | told, "createFile", "POST", "/files", {}, **more)

    def gone(self, id: str) -> Exchange:
        return self._told({"id": id, "deleted": True}, "deleteFile", "DELETE", f"/files/{id}", {})

    def page(
        self, *ids: str, more: Any = False, ends: bool = True, operation: str = "listFiles", **query: str
    ) -> Exchange:
        body: dict[str, Any] = {"object": "list", "data": [{"id": id} for id in ids], "has_more": more}
        if ends and ids:
            body |= {"first_id": ids[0], "last_id": ids[-1]}
        return self._told(body, operation, "GET", "/files", query)


def judged(paging: ModuleType, clause: str, exchanges: Sequence[Exchange]) -> str:
    return outcome_of(getattr(paging, clause), *exchanges)


def walk(first: Sequence[str], more: Any, second: Sequence[str], **query: Any) -> list[Exchange]:
    """Three things made, and two pages of them."""
    flow = Flow()
    made = [flow.made(id) for id in "abc"]
    return [*made, flow.page(*first, more=more, **query), flow.page(*second, after=first[-1], **query)]


PAIRS: list[tuple[str, list[Exchange], str]] = [
    ("has_more_is_true_while_items_remain", walk("cb", True, "a"), "pass"),
    ("has_more_is_true_while_items_remain", walk("cb", False, "a"), "fail"),
    ("has_more_is_true_while_items_remain", walk("cba", True, ""), "fail"),
    ("has_more_is_true_while_items_remain", walk("cba", False, ""), "pass"),
    ("has_more_is_true_while_items_remain", walk("ab", False, "x", order="asc"), "not-applicable"),  # made since
    ("has_more_is_true_while_items_remain", walk("cb", None, "a"), "not-applicable"),  # the schema's finding
    ("pages_do_not_overlap", walk("cb", True, "a"), "pass"),
    ("pages_do_not_overlap", walk("cb", True, "ba"), "fail"),
    ("lists_are_in_order", walk("cb", True, "a"), "pass"),
    ("lists_are_in_order", walk("bc", True, "a"), "fail"),
    ("lists_are_in_order", walk("bc", False, "", order="asc"), "pass"),
    ("lists_are_in_order", walk("cb", True, "a", order="asc"), "fail"),
    ("a_page_is_on_its_side_of_the_cursor", walk("cb", True, "a"), "pass"),
    ("a_page_is_on_its_side_of_the_cursor", walk("b", True, "c"), "fail"),
    ("a_page_is_on_its_side_of_the_cursor", walk("b", True, "c", order="asc"), "pass"),
]


@pytest.mark.parametrize(("clause", "exchanges", "outcome"), PAIRS)
def test_a_walk_is_kept_or_broken(paging: ModuleType, clause: str, exchanges: list[Exchange], outcome: str) -> None:
    assert judged(paging, clause, exchanges) == outcome


def test_what_was_made_in_one_second_may_stand_in_any_order(paging: ModuleType) -> None:
    flow = Flow()
    made = [flow.made(id, started=NOON) for id in "abc"]
    for ids in ("abc", "bca"):
        assert judged(paging, "lists_are_in_order", [*made, flow.page(*ids)]) == "not-applicable"
    assert judged(paging, "a_page_is_on_its_side_of_the_cursor", [*made, flow.page("c", after="b")]) == "not-applicable"


def test_small_pages_are_compared_with_a_large_one(paging: ModuleType) -> None:
    def read(*second: str) -> list[Exchange]:
        flow = Flow()
        return [flow.page(*"dcba"), flow.page(*"dc", more=True, limit="2"), flow.page(*second, limit="2", after="c")]

    clause = "small_pages_are_the_large_one"
    assert judged(paging, clause, read("b", "a")) == "pass"
    assert judged(paging, clause, read("a")) == "fail"
    assert judged(paging, clause, read("c", "b")) == "not-applicable"  # paging.after-itself judges that


def test_a_deletion_between_two_pages_is_no_loss(paging: ModuleType) -> None:
    flow = Flow()
    whole, first = flow.page(*"cba"), flow.page("c", more=True, limit="1")
    walked = [whole, first, flow.gone("b"), flow.page("a", limit="1", after="c")]
    assert judged(paging, "small_pages_are_the_large_one", walked) == "not-applicable"
    emptied = [flow.page("c", more=True), flow.gone("b"), flow.page(after="c")]
    assert judged(paging, "has_more_is_true_while_items_remain", emptied) == "pass"


def test_an_empty_page_has_nothing_more(paging: ModuleType) -> None:
    clause = "has_more_is_true_while_items_remain"
    assert judged(paging, clause, [Flow().page(more=True)]) == "fail"
    assert judged(paging, clause, [Flow().page()]) == "pass"


def test_cursors_are_told_where_the_list_has_them(paging: ModuleType) -> None:
    clause = "pages_tell_their_ends"
    assert judged(paging, clause, [Flow().page("a")]) == "pass"
    assert judged(paging, clause, [Flow().page("a", ends=False)]) == "fail"
    assert judged(paging, clause, [Flow().page(ends=False)]) == "not-applicable"
    bare = Flow().page("a", ends=False, operation="listPaginatedFineTuningJobs")
    assert judged(paging, clause, [bare]) == "not-applicable"


@pytest.mark.parametrize(
    "clause", ["no_item_comes_twice", "cursors_name_the_ends", "a_page_is_no_longer_than_its_limit"]
)
def test_lists_without_cursors_are_none_of_ours(paging: ModuleType, clause: str) -> None:
    whole = Flow().page("a", "a", operation="listModels", limit="1")
    assert judged(paging, clause, [whole]) == "not-applicable"


@pytest.mark.parametrize(
    ("page", "clause"),
    [
        (Flow().page("a", "b", "a"), "no_item_comes_twice"),
        (Flow().page("a", "b", limit="1"), "a_page_is_no_longer_than_its_limit"),
        (Flow().page("a", after="a"), "a_cursor_is_not_in_its_page"),
        (Flow().page("a", before="a"), "a_cursor_is_not_in_its_page"),
    ],
)
def test_a_page_may_be_wrong_by_itself(paging: ModuleType, page: Exchange, clause: str) -> None:
    assert judged(paging, clause, [page]) == "fail"
    assert judged(paging, clause, [Flow().page("b", limit="1", after="a")]) in ("pass", "not-applicable")


@pytest.mark.parametrize(
    ("status", "outcome"), [(400, "pass"), (422, "pass"), (200, "fail"), (500, "fail"), (501, "not-applicable")]
)
def test_a_limit_of_nothing_is_refused(paging: ModuleType, status: int, outcome: str) -> None:
    for limit in ("0", "two"):
        asked = replace(Flow().page("a", limit=limit), status=status)
        assert judged(paging, "a_limit_of_nothing_is_refused", [asked]) == outcome


@pytest.mark.parametrize(
    ("limit", "status", "outcome"),
    [("10001", 400, "pass"), ("10001", 200, "fail"), ("10000", 200, "not-applicable"), ("x", 400, "not-applicable")],
)
def test_a_limit_above_the_largest_is_refused(paging: ModuleType, limit: str, status: int, outcome: str) -> None:
    asked = replace(Flow().page("a", limit=limit), status=status)
    assert judged(paging, "a_limit_above_the_largest_is_refused", [asked]) == outcome


def test_a_page_that_is_not_followed_is_held_against_the_whole(paging: ModuleType) -> None:
    def read(more: bool, *, order: str = "desc", late: bool = False) -> str:
        flow = Flow()
        made = [flow.made(id) for id in "abc"]
        asked: list[dict[str, Any]] = [{}, {"more": more, "after": "b"}]
        told = [
            flow.page(*("a" if "after" in one else "cba"), order=order, **one)
            for one in (asked if late else asked[::-1])
        ]
        return judged(paging, "has_more_is_true_while_items_remain", [*made, *told])

    assert read(False) == "pass"
    assert read(True) == "fail"
    assert read(True, order="asc", late=True) == "not-applicable"  # something was made since
    flow = Flow()
    first = [*(flow.made(id) for id in "abc"), flow.page("c", limit="1"), flow.page(*"cba")]
    assert judged(paging, "has_more_is_true_while_items_remain", first) == "fail"


@pytest.mark.parametrize(("status", "outcome"), [(200, "pass"), (400, "fail"), (404, "not-applicable")])
def test_documented_parameters_are_taken(paging: ModuleType, status: int, outcome: str) -> None:
    asked = replace(Flow().page("a", order="asc", limit="1"), status=status)
    assert judged(paging, "documented_parameters_are_taken", [asked]) == outcome
    wrong: list[dict[str, Any]] = [
        {"limit": "0"},
        {"limit": "two"},
        {"order": "up"},
        {"after": "file-wireproofnosuchfile"},
        {"colour": "red"},
    ]
    for other in (Flow().page(**query) for query in wrong):
        assert judged(paging, "documented_parameters_are_taken", [replace(other, status=400)]) == "not-applicable"


def test_a_list_that_nobody_is_given_says_nothing_of_its_parameters(paging: ModuleType) -> None:
    asked = Flow().page("a", limit="1")
    broken = replace(asked, status=500)
    assert judged(paging, "documented_parameters_are_taken", [broken]) == "inconclusive"
    assert judged(paging, "documented_parameters_are_taken", [asked, broken]) == "fail"


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        ({"message": "purpose: Input should be 'assistants' or 'batch'"}, "not-applicable"),
        ({"message": "Invalid value", "param": "purpose"}, "not-applicable"),
        ({"message": "Unrecognized request argument supplied: limit"}, "fail"),
        ({"message": "with purpose, order is not allowed"}, "fail"),
        ({"message": "Bad request"}, "fail"),
    ],
)
def test_another_parameter_may_be_refused(paging: ModuleType, error: dict[str, Any], outcome: str) -> None:
    asked = Flow().page("a", limit="1", purpose="fine-tune")
    refused = answer({"error": error}, status=400, operation=asked.operation, method="GET", path=asked.request.path)
    asked = replace(asked, status=400, chunks=refused.chunks)
    assert judged(paging, "documented_parameters_are_taken", [asked]) == outcome


@pytest.mark.parametrize(
    ("status", "outcome"), [(400, "pass"), (404, "pass"), (200, "pass"), (500, "fail"), (503, "inconclusive")]
)
def test_an_unknown_cursor_is_no_server_error(paging: ModuleType, status: int, outcome: str) -> None:
    asked = replace(Flow().page("a", after="file-wireproofnosuchfile"), status=status)
    assert judged(paging, "an_unknown_cursor_is_no_server_error", [asked]) == outcome


def test_the_seconds_of_a_list_are_those_of_the_server(paging: ModuleType) -> None:
    def outcome(*created: int | None) -> str:
        flow = Flow()
        made = [flow.made(id, second) for id, second in zip("ab", created, strict=True)]
        return judged(paging, "lists_are_in_order", [*made, flow.page("a", "b")])

    noon = int(NOON)
    assert outcome(noon, noon) == "not-applicable"
    assert outcome(noon, noon + 1) == outcome(None, None) == outcome(7, 7) == "fail"


@pytest.mark.parametrize(
    ("row", "outcome"),
    [
        ({"bytes": 7, "status": "uploaded"}, "pass"),
        ({"bytes": 7, "status": "processed"}, "pass"),  # it changed in the meantime
        ({"bytes": 0}, "fail"),
        ({"bytes": None}, "fail"),
        ({"x_vendor": 1}, "pass"),  # what a row leaves out is for its schema to say
    ],
)
def test_a_row_is_what_reading_tells(paging: ModuleType, row: dict[str, Any], outcome: str) -> None:
    def told(step: int, body: dict[str, Any], path: str = "/files/a", operation: str = "retrieveFile") -> Exchange:
        return answer(body, operation=operation, method="GET", path=path, probe="files.life", step=step)

    thing = {"id": "a", "object": "file", "created_at": 5, "bytes": 7}
    page = {"object": "list", "data": [{"id": "a", "object": "file", **row}], "has_more": False}
    listed = told(2, page, "/files", "listFiles")
    before, after = told(1, thing | {"status": "uploaded"}), told(3, thing | {"status": "processed"})
    assert judged(paging, "lists_tell_what_reading_tells", [before, listed, after]) == outcome
    assert judged(paging, "lists_tell_what_reading_tells", [before, listed]) == "not-applicable"
    anew = told(3, thing | {"created_at": 6})
    assert judged(paging, "lists_tell_what_reading_tells", [before, listed, anew]) == "not-applicable"


def test_a_page_of_no_items_may_have_more_behind_it(paging: ModuleType) -> None:
    flow = Flow()
    made = [flow.made(id) for id in "ab"]
    assert judged(paging, "has_more_is_true_while_items_remain", [*made, flow.page(more=True, limit="0")]) != "fail"
    assert judged(paging, "has_more_is_true_while_items_remain", [*made, flow.page(more=True, limit="1")]) == "fail"
