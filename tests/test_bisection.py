"""Finding the field that broke a packed request, within few calls, and without a clause judging the search."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made import answer

from wireproof.bisection import MARK, MOST_CALLS, Bisector, blames, fails, search, suspects_in
from wireproof.certification import load_contracts, prepare, report_of, run
from wireproof.clause import Exchange, Trouble, probe
from wireproof.fetch import Target
from wireproof.journal import Run
from wireproof.order import Order
from wireproof.plan import Budget, Models
from wireproof.spec import load_spec
from wireproof.standin.backend import DEFAULT_KEY, Backend, Setup
from wireproof.standin.latency import Latency
from wireproof.standin.virtual import VirtualClock, VirtualTransport
from wireproof.standin.wire import Answer, Ask, json_answer, refusal

ONLY = ("chat.stop", "chat.n", "chat.tools.choice*")
TORN = Trouble("truncated", "the connection was closed", True)


def recorded(
    out: Path, breaks: Callable[[dict[str, Any]], Answer | None], *, resume: bool = False, budget: Budget | None = None
) -> tuple[Run, list[str]]:
    """A run against the stand-in, which answers what `breaks` gives, where it gives something; its notes."""
    clock = VirtualClock()
    backend = Backend(Setup(latency=Latency(20.0, 3.0)), clock=lambda: 1_795_000_000.0 + clock.now, boot="test")

    def serve(ask: Ask) -> Answer:
        body = json.loads(ask.body) if ask.body else {}
        broken = breaks(body) if isinstance(body, dict) else None
        return broken or backend.answer(ask)

    target = Target("http://standin/v1", DEFAULT_KEY)
    order = Order(target, Models("gpt-4.1-mini"), only=ONLY, gate=1, budget=budget or Budget())
    _, plan = prepare(order)
    recorder: dict[str, Any] = {"transport": VirtualTransport(serve, clock), "clock": clock, "wall": clock}
    told = run(order, plan, out, resume=resume, sleep=clock.sleep, **recorder)
    return told, list(report_of(told, load_contracts()[0]).notes)


def refusing(*fields: str, status: int = 500) -> Callable[[dict[str, Any]], Answer | None]:
    """A backend that breaks on these fields when all of them are there."""
    return lambda body: refusal(status, "broken") if set(fields) <= set(body) else None


def searched(told: Run) -> list[Exchange]:
    return [exchange for exchange in told.exchanges if MARK in exchange.probe]


@pytest.mark.parametrize("field", ["logit_bias", "metadata", "top_p", "frequency_penalty"])
def test_the_field_that_breaks_a_packed_request_is_named(field: str, tmp_path: Path) -> None:
    told, notes = recorded(tmp_path, refusing(field))
    assert [note for note in notes if "because of" in note] == [
        f"chat.stop-list was refused because of `{field}` (answered 500)."
    ]
    assert 0 < len(searched(told)) <= 6


def test_fields_that_break_it_only_together_are_named_together(tmp_path: Path) -> None:
    _, notes = recorded(tmp_path, refusing("logit_bias", "top_p"))
    [said] = [note for note in notes if "because of" in note]
    assert "because of `logit_bias` beside " in said
    assert "`top_p`" in said


def test_an_answer_that_is_no_answer_counts_as_a_refusal(tmp_path: Path) -> None:
    _, notes = recorded(tmp_path, lambda body: json_answer({}, 418) if "logit_bias" in body else None)
    assert any("because of `logit_bias` (answered 418)" in note for note in notes)


def test_what_fails_without_its_fields_as_well_is_no_fault_of_theirs(tmp_path: Path) -> None:
    told, notes = recorded(tmp_path, lambda body: refusal(500, "no") if body.get("model") else None)
    assert not any("because of" in note for note in notes)
    assert any("without its optional fields as well" in note for note in notes)
    assert len(searched(told)) <= MOST_CALLS


@pytest.mark.parametrize("status", [401, 404, 429, 501, 503])
def test_refusals_that_are_about_no_field_are_not_searched(status: int, tmp_path: Path) -> None:
    told, _ = recorded(tmp_path, refusing("logit_bias", status=status))
    assert searched(told) == []


def test_a_run_in_which_nothing_fails_sends_nothing_more(tmp_path: Path) -> None:
    told, _ = recorded(tmp_path, lambda body: None)
    assert searched(told) == []


def test_the_search_stays_within_the_budget_and_goes_on_when_there_is_more(tmp_path: Path) -> None:
    whole, _ = recorded(tmp_path / "whole", refusing("metadata"))
    calls = len(whole.exchanges)
    cut, notes = recorded(tmp_path / "cut", refusing("metadata"), budget=Budget(calls=calls - 2))
    assert len(cut.exchanges) == calls - 2
    assert not any("because of" in note for note in notes)
    resumed, notes = recorded(tmp_path / "cut", refusing("metadata"), resume=True)
    assert len(resumed.exchanges) == calls
    assert any("because of `metadata`" in note for note in notes)


def test_no_clause_is_judged_on_a_search(tmp_path: Path) -> None:
    told, _ = recorded(tmp_path, refusing("logit_bias"))
    assert searched(told)
    report = report_of(told, load_contracts()[0])
    assert not [id for verdict in report.verdicts for id in verdict.judged if MARK in id]


def test_a_broken_answer_is_the_targets_only_when_the_trouble_is() -> None:
    assert fails(answer({}, trouble=TORN))
    assert not fails(answer({}, trouble=Trouble("timeout", "nothing came", False)))
    assert [fails(answer({}, status=status)) for status in (200, 400, 422, 500, 404, None)] == [
        *(False, True, True, True, False, False)
    ]


def test_suspects_are_what_a_request_can_do_without_each_after_what_it_needs() -> None:
    asked = {"tool_choice": "auto", "top_logprobs": 1, "tools": [], "logprobs": True, "max_tokens": 5, "user": "me"}
    made = answer({}, asked={"model": "m", "messages": [], **asked})
    assert suspects_in(load_spec(), made) == ["tools", "tool_choice", "logprobs", "top_logprobs", "user"]


def test_a_search_that_did_not_end_blames_nobody() -> None:
    failed = answer({}, probe="packed", asked={"model": "m", "messages": [], "a": 1, "b": 2}, status=500)
    packed = probe("packed", "POST", "/chat/completions", {"model": "m"}, about="a test")
    [search] = Bisector(load_spec(), [packed], [failed])()
    assert (search.id, search.most, search.expects) == ("packed!", 3, "either")
    assert blames(load_spec(), [failed, answer({}, probe="packed!")]) == []


@given(st.integers(2, 40), st.data())
def test_any_field_is_found_in_a_logarithm_of_calls(number: int, data: Any) -> None:
    names = [f"f{n}" for n in range(number)]
    guilty = set(data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True)))
    steps, calls = search(names), 1
    kept = next(steps)
    try:
        while True:
            kept = steps.send(guilty <= set(kept))
            calls += 1
    except StopIteration as end:
        found = end.value
    assert found[0] in guilty
    assert guilty <= set(found)
    assert len(guilty) > 1 or found == tuple(guilty)
    assert calls <= 2 + math.ceil(math.log2(number))
