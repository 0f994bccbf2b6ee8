"""Tables and the agenda: the same in memory and in a file, and the file the same after a restart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from wireproof.standin.agenda import Agenda
from wireproof.standin.refusals import Refused
from wireproof.standin.store import Store

Opener = Callable[[], Store]


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return Store(tmp_path / "state.db" if request.param == "file" else None)


def test_rows_keep_the_order_of_their_creation(store: Store) -> None:
    table = store.table("files")
    for id in ("b", "a", "c"):
        table.put(id, {"id": id})
    table.put("b", {"id": "b", "changed": True})
    assert [row["id"] for row in table.rows()] == ["b", "a", "c"]
    assert table.get("b") == {"id": "b", "changed": True}


def test_bytes_stay_when_only_the_row_changes(store: Store) -> None:
    table = store.table("files")
    table.put("a", {"n": 1}, b"bytes")
    table.put("a", {"n": 2})
    assert (table.get("a"), table.data("a")) == ({"n": 2}, b"bytes")
    assert table.data("none") == b""


def test_children_of_one_parent_are_not_those_of_another(store: Store) -> None:
    store.table("messages", "thread_1").put("m", {"n": 1})
    store.table("messages", "thread_2").put("m", {"n": 2})
    store.table("messages", "thread_1").clear()
    assert store.table("messages", "thread_1").rows() == []
    assert store.table("messages", "thread_2").rows() == [{"n": 2}]


def test_what_is_deleted_is_gone(store: Store) -> None:
    table = store.table("files")
    table.put("a", {}, b"x")
    table.delete("a")
    assert (table.get("a"), table.data("a"), len(table), "a" in table) == (None, b"", 0, False)
    with pytest.raises(Refused) as refused:
        table.found("a", "No such File object: a")
    assert refused.value.answer.status == 404


def test_a_restart_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    before = Store(path)
    for id in ("b", "a"):
        before.table("files").put(id, {"id": id, "text": "ä\u2028"}, id.encode())
    before.table("items", "conv").put("i", {"n": 1})
    before.table("files").put("b", {"id": "b", "late": 1})
    before.close()
    after = Store(path)
    assert after.table("files").rows() == [{"id": "b", "late": 1}, {"id": "a", "text": "ä\u2028"}]
    assert after.table("files").data("a") == b"a"
    assert after.table("items", "conv").rows() == [{"n": 1}]


def test_what_was_not_committed_when_the_process_died_is_as_if_it_never_was(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    store = Store(path)
    store.table("files").put("a", {})
    store.commit()
    store.table("files").put("b", {})
    again = Store(path)  # the first one is still open and has not committed
    assert list(again.table("files")) == ["a"]


def test_a_file_that_is_no_state_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database, but long enough to be read as one" * 20)
    with pytest.raises(ValueError, match=r"notes\.txt"):
        Store(path)


def done(agenda: Agenda, until_s: float, most: int = 100) -> list[tuple[str, str, float]]:
    seen: list[tuple[str, str, float]] = []
    agenda.run(until_s, lambda deed, id, due_s: seen.append((deed, id, due_s)), most)
    return seen


def test_deeds_are_done_in_order_of_time_and_once(store: Store) -> None:
    agenda = Agenda(store.table("agenda"))
    agenda.add(20.0, "late", "x")
    agenda.add(10.0, "first", "x")
    agenda.add(10.0, "second", "y")
    assert done(agenda, 9.9) == []
    assert done(agenda, 10.0) == [("first", "x", 10.0), ("second", "y", 10.0)]
    assert done(agenda, 30.0) == [("late", "x", 20.0)]
    assert done(agenda, 99.0) == []


def test_a_deed_that_plans_another_within_the_time_has_it_done_too(store: Store) -> None:
    agenda = Agenda(store.table("agenda"))
    seen = []

    def do(deed: str, id: str, due_s: float) -> None:
        seen.append(due_s)
        if due_s < 3:
            agenda.add(due_s + 1, deed, id)

    agenda.add(1.0, "step", "x")
    agenda.run(10.0, do, 100)
    assert seen == [1.0, 2.0, 3.0]


def test_only_so_many_deeds_are_done_at_a_time(store: Store) -> None:
    agenda = Agenda(store.table("agenda"))
    for number in range(5):
        agenda.add(float(number), "step", str(number))
    assert len(done(agenda, 10.0, most=3)) == 3
    assert len(done(agenda, 10.0, most=3)) == 2


def test_the_agenda_survives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    store = Store(path)
    agenda = Agenda(store.table("agenda"))
    agenda.add(2.0, "b", "x")
    agenda.add(1.0, "a", "x")
    done(agenda, 1.0)
    store.close()
    again = Agenda(Store(path).table("agenda"))
    again.add(2.0, "c", "x")
    assert done(again, 5.0) == [("b", "x", 2.0), ("c", "x", 2.0)]
