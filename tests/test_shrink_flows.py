"""A step of a flow made small at a target where nothing of the recorded run is left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from made import answer

from wireproof.clause import Exchange
from wireproof.cli import run
from wireproof.journal import read_journal
from wireproof.order import models_of
from wireproof.plan import Budget, Cost, Models
from wireproof.retrace import Leaf, filled, in_place, leaves, left_behind
from wireproof.shrinking import size_of, smallest_body
from wireproof.spending import has_room, left_of
from wireproof.standin.backend import DEFAULT_KEY
from wireproof.standin.serve import embedded
from wireproof.standin.wire import Answer, Ask, Serve, json_answer

FAULT, CLAUSE = "conversations.unnamed", "conversations.response"
PATH = "/v1/conversations"
# The response in a conversation is step 6 of 15.
STEP, STEPS = 6, 15


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Recorded at a backend that is gone by now, with all that was made there."""
    out = tmp_path_factory.mktemp("recorded")
    with pytest.MonkeyPatch.context() as patch, embedded(faults=[FAULT]) as standin:
        patch.setenv("OPENAI_API_KEY", DEFAULT_KEY)
        words = ["--base-url", standin.base_url, "--model", standin.model, "--profile", "all", "--out", str(out)]
        assert run(["certify", *words, "--only", "conversations"]) == 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_API_KEY", DEFAULT_KEY)
        yield out / "journal.jsonl"


class Shrunk:
    """What a `shrink` at a fresh target came to. `asks` are the requests that reached it."""

    def __init__(self, journal: Path, out: Path, *, calls: int, faults: list[str], edit: Any = None) -> None:
        self.asks: list[Ask] = []

        def over(serve: Serve) -> Serve:
            def heard(ask: Ask) -> Answer:
                self.asks.append(ask)
                return edit(ask, serve) if edit else serve(ask)

            return heard

        with embedded(faults=faults, over=over) as there:
            words = ["--base-url", there.base_url, "--budget", f"calls={calls}", "--out", str(out)]
            self.code = run(["shrink", str(journal), CLAUSE, *words])
        self.exchanges = read_journal(out / "journal.jsonl").exchanges

    @property
    def asked(self) -> dict[str, Any]:
        return next(one.request.asked for one in self.exchanges if one.step == STEP)

    def sent(self, method: str, path: Callable[[str], bool]) -> list[Ask]:
        return [ask for ask in self.asks if ask.method == method and path(ask.path)]


def recorded(journal: Path) -> dict[str, Any]:
    return next(one.request.asked for one in read_journal(journal).exchanges if one.step == STEP)


def test_a_step_is_shrunk_after_the_steps_that_led_up_to_it(
    journal: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shrunk = Shrunk(journal, tmp_path, calls=200, faults=[FAULT])
    assert shrunk.code == 0
    # The conversation is asked for still: without it no backend had to name one.
    assert set(shrunk.asked) == {"model", "conversation", "max_output_tokens"}
    assert shrunk.asked["conversation"] != recorded(journal)["conversation"]
    assert "5 keys and items of step 6, 3 of them needed" in (told := capsys.readouterr().out)
    assert f"({len(shrunk.asks)} calls" in told
    assert "no help" not in told
    made = shrunk.sent("POST", lambda path: path == PATH)
    deleted = shrunk.sent("DELETE", lambda path: path.startswith(PATH) and path.count("/") == 3)
    assert len(made) == len(deleted) == len(shrunk.asks) / STEPS
    assert run(["judge", str(tmp_path / "journal.jsonl")]) == 1


def test_an_attempt_that_the_budget_cannot_pay_ends_the_search(
    journal: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One walk to the step fits, with nothing left to delete what it made; a second one does not."""
    shrunk = Shrunk(journal, tmp_path, calls=8, faults=[FAULT])
    assert shrunk.code == 0
    assert len(shrunk.asks) == STEP + 1
    assert set(shrunk.asked) == set(recorded(journal))
    told = capsys.readouterr().out
    assert "stopped early, more could go: an attempt takes 7 requests, and calls=1 is left" in told
    assert f"left at the target, not deleted: /conversations/{shrunk.asked['conversation']}\n" in told


def test_what_was_made_is_deleted_where_the_budget_has_room(
    journal: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shrunk = Shrunk(journal, tmp_path, calls=20, faults=[FAULT])
    assert shrunk.code == 0
    assert len(shrunk.asks) == STEPS
    assert "not deleted" not in capsys.readouterr().out


def test_nothing_is_sent_when_not_one_attempt_fits(
    journal: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shrunk = Shrunk(journal, tmp_path, calls=6, faults=[FAULT])
    assert (shrunk.code, shrunk.asks) == (3, [])
    assert "an attempt takes 7 requests, and calls=6 is left; the recorded one is kept" in capsys.readouterr().out


def test_a_target_without_the_fault_does_not_show_it(
    journal: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shrunk = Shrunk(journal, tmp_path, calls=40, faults=[])
    assert (shrunk.code, len(shrunk.asks)) == (3, STEPS)
    assert "step 6 of conversations.life did not show the finding again" in capsys.readouterr().out
    assert set(shrunk.asked) == set(recorded(journal))


def test_a_field_that_the_reference_backend_asks_for_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken target takes an update of nothing, and breaks the clause with it; others refuse it, and rightly so."""
    monkeypatch.setenv("OPENAI_API_KEY", DEFAULT_KEY)
    with embedded(faults=["chat.stored.update-ignored"]) as there:
        words = ["--base-url", there.base_url, "--out", str(tmp_path)]
        assert run(["certify", *words, "--model", there.model, "--profile", "all", "--only", "chat.stored"]) == 1
        words = ["--base-url", there.base_url, "--budget", "calls=60", "--out", str(tmp_path / "small")]
        assert run(["shrink", str(tmp_path / "journal.jsonl"), "chat.stored.update", *words]) == 0
    small = next(one for one in read_journal(tmp_path / "small" / "journal.jsonl").exchanges if one.step == 2)
    assert "metadata" in small.request.asked


def test_attempts_that_go_another_way_leave_out_nothing(
    journal: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The target makes one conversation, and then no more."""
    made: list[Ask] = []

    def once(ask: Ask, serve: Serve) -> Answer:
        if ask.path == PATH:
            made.append(ask)
        return json_answer({"error": {"message": "No"}}, status=403) if ask.path == PATH and made[1:] else serve(ask)

    shrunk = Shrunk(journal, tmp_path, calls=40, faults=[FAULT], edit=once)
    assert shrunk.code == 0
    assert set(shrunk.asked) == set(recorded(journal))
    assert f"5 of them needed ({STEPS + len(made) - 1} calls" in capsys.readouterr().out


def refused_items(ask: Ask, serve: Serve) -> Answer:
    is_meant = ask.method == "POST" and ask.path.endswith("/items")
    return json_answer({"error": {"message": "No"}}, status=403) if is_meant else serve(ask)


def nameless(ask: Ask, serve: Serve) -> Answer:
    return json_answer({"object": "conversation"}) if ask.path == PATH else serve(ask)


@pytest.mark.parametrize(
    ("edit", "line"),
    [
        (refused_items, "request   step 3 (POST /conversations/"),
        (refused_items, "was answered 403, where 200 was recorded; the recorded one is kept"),
        (nameless, "request   at step 1 the flow ended, where POST /conversations/"),
    ],
)
def test_a_flow_that_goes_another_way_says_at_which_step(
    journal: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], edit: Any, line: str
) -> None:
    shrunk = Shrunk(journal, tmp_path, calls=40, faults=[FAULT], edit=edit)
    assert shrunk.code == 3
    assert line in capsys.readouterr().out
    assert len(shrunk.sent("DELETE", lambda path: path.count("/") == 3)) == (edit is refused_items)


def test_values_are_the_flows_own() -> None:
    body = {"id": "old", "list": [{"text": "a"}, 2], "max_tokens": 1}
    open_ = leaves(body)
    assert size_of(open_) == size_of(body)
    small = smallest_body(open_, lambda one: "id" in one and Leaf(("list", 1), 2) in one.get("list", ()))
    assert filled(small, {"id": "new", "list": [{"text": "b"}, 3]}) == {"id": "new", "list": [3], "max_tokens": 1}
    assert leaves(b"bytes") is None


def made(method: str, path: str, id: str | None = None, **asked: Any) -> Exchange:
    one = answer({"id": id} if id else {}, asked=asked, operation="createResponse" if path == "/responses" else "x")
    return replace(one, request=replace(one.request, method=method, path=path))


def test_what_is_left_was_made_and_not_deleted() -> None:
    one, two = made("POST", "/threads", "t1"), made("POST", "/threads", "t2")
    inside = made("POST", "/threads/t1/messages", "m1")
    assert left_behind([one, two, inside]) == ("/threads/t1", "/threads/t2")
    assert left_behind([one, two, inside, made("DELETE", "/threads/t1")]) == ("/threads/t2",)
    assert left_behind([made("POST", "/threads/t1", "t1"), made("GET", "/threads/t1", "t1")]) == ()
    assert left_behind([made("POST", "/responses", "r1", store=False)]) == ()
    assert left_behind([made("POST", "/responses", "r1")]) == ("/responses/r1",)
    assert left_behind([replace(one, status=400)]) == ()


def test_a_walk_takes_the_place_of_its_flow() -> None:
    before, flow, after = (replace(answer({}), probe=name) for name in ("a", "b", "c"))
    walked = [replace(flow, step=0, attempt=2), replace(flow, step=1)]
    assert in_place([before, flow, after, replace(flow, step=1)], walked) == [before, *walked, after]


def test_models_are_read_as_they_are_told() -> None:
    target = {"base_url": "u", "model": "m", "embedding_model": "e", "image_model": "i"}
    assert models_of(target) == Models("m", "e", None, {"image": "i"})


def test_what_is_left_of_a_budget_has_room_or_not() -> None:
    left = left_of(Budget(calls=5, usd=0.5), Cost(3, usd=None, known=0.2))
    assert (left.calls, left.tokens) == (2, None)
    assert left.usd == pytest.approx(0.3)
    assert has_room(left, Cost(2))
    assert not has_room(left, Cost(3))
    assert not has_room(left, Cost(1, usd=None))
