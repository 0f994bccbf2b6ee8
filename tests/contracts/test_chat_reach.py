"""Each clause of contracts/chat_reach.py with counts that keep it and the nearest that break it."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from made import answer, outcome_of, verdict_of

from wireproof.clause import Exchange, contents
from wireproof.plan import Models, bind, encoded

COUNTS = {
    "reach.plain": 60,
    "reach.respelled": 60,
    "reach.parts": 61,
    "reach.system": 160,
    "reach.developer": 478,
    "reach.in-parts": 484,
    "reach.image": 146,
    "tools.named": 80,
    "tools.required": 370,
    "tools.result": 780,
}


def counted(probe: str, tokens: Any, asked: Any = None) -> Exchange:
    """With tools, where the probe has some."""
    asked = asked if asked is not None else {"tools": [{}]} if probe.startswith("tools.") else {}
    return answer({"choices": [], "usage": {"prompt_tokens": tokens}}, asked=asked, probe=probe)


def refused(probe: str, status: int, code: str | None = None) -> Exchange:
    return answer({"error": {"message": "no images here", "code": code}}, status=status, asked={}, probe=probe)


def run(**changed: Any) -> list[Exchange]:
    """All answers with COUNTS, but for those of `changed` (`reach_plain=61`, or a whole exchange)."""
    counts = {**COUNTS, **{name.replace("_", ".", 1).replace("_", "-"): value for name, value in changed.items()}}
    return [one if isinstance(one, Exchange) else counted(name, one) for name, one in counts.items()]


# clause: (runs that keep it, runs that break it)
PAIRS: dict[str, tuple[list[list[Exchange]], list[list[Exchange]]]] = {
    "chat.reach.accepts": ([run()], [run(reach_developer=refused("reach.developer", 400))]),
    "chat.reach.respelled": ([run()], [run(reach_respelled=90), run(reach_respelled=59)]),
    "chat.reach.parts": ([run(), run(reach_parts=54)], [run(reach_parts=30), run(reach_parts=53)]),
    "chat.reach.parts-as-text": ([run(), run(reach_parts=66)], [run(reach_parts=67), run(reach_parts=90)]),
    "chat.reach.system": ([run()], [run(reach_system=60), run(reach_system=40)]),
    "chat.reach.developer": (
        [run(), run(reach_developer=450), run(reach_developer=178)],
        [run(reach_developer=378), run(reach_developer=409), run(reach_developer=60)],
    ),
    "chat.reach.history": ([run(), run(reach_developer=378)], [run(reach_developer=178), run(reach_developer=309)]),
    "chat.reach.in-parts": ([run(), run(reach_in_parts=466)], [run(reach_in_parts=384), run(reach_in_parts=184)]),
    "chat.reach.tools": ([run()], [run(tools_required=80), run(tools_required=60)]),
    "chat.reach.tools-described": ([run()], [run(tools_required=81), run(tools_required=200)]),
    "chat.reach.tool-turns": ([run(), run(tools_result=600)], [run(tools_result=480), run(tools_result=180)]),
    "chat.reach.image": ([run()], [run(reach_image=61), run(reach_image=60)]),
}


@pytest.fixture
def clauses(contract: Callable[[str], ModuleType]) -> dict[str, Any]:
    found, _ = contents([contract("chat_reach")])
    return {clause.id: clause for clause in found}


ROWS = [(id, one, held) for id, pair in PAIRS.items() for held in (True, False) for one in pair[not held]]


def test_every_clause_has_a_pair(clauses: dict[str, Any]) -> None:
    assert set(PAIRS) == set(clauses)


@pytest.mark.parametrize(("id", "exchanges", "held"), ROWS)
def test_a_clause_tells_kept_from_broken(
    clauses: dict[str, Any], id: str, exchanges: list[Exchange], held: bool
) -> None:
    verdict = verdict_of(clauses[id], *exchanges)
    assert verdict.outcome == ("pass" if held else "fail"), (verdict.reason, verdict.findings)


@pytest.mark.parametrize("id", [id for id in PAIRS if id != "chat.reach.accepts"])
@pytest.mark.parametrize("tokens", [None, "60", True])
def test_without_a_count_nothing_is_found(clauses: dict[str, Any], id: str, tokens: Any) -> None:
    exchanges = [counted(name, tokens) for name in COUNTS]
    assert outcome_of(clauses[id], *exchanges) == "inconclusive"


@pytest.mark.parametrize("body", [None, [], "x", {"usage": []}])
def test_malformed_answers_crash_no_clause(clauses: dict[str, Any], body: Any) -> None:
    exchanges = [answer(body, asked={}, probe=name) for name in COUNTS]
    reasons = [verdict_of(clause, *exchanges).reason for clause in clauses.values()]
    assert not [reason for reason in reasons if "the clause itself failed" in reason]


@pytest.mark.parametrize(
    ("id", "exchanges", "outcome"),
    [
        ("chat.reach.image", run(reach_image=refused("reach.image", 400)), "not-applicable"),
        ("chat.reach.image", run(reach_image=refused("reach.image", 500)), "not-applicable"),
        ("chat.reach.image", run(reach_image=refused("reach.image", 429)), "inconclusive"),
        ("chat.reach.tools-described", run(tools_required=80), "not-applicable"),
        ("chat.reach.tools-described", run(reach_system=60), "inconclusive"),
        ("chat.reach.tool-turns", run(reach_system=60), "inconclusive"),
        ("chat.reach.developer", run(reach_system=60), "inconclusive"),
        ("chat.reach.tools", run(tools_required=counted("tools.required", 80, asked={})), "not-applicable"),
        ("chat.reach.tools-described", run(tools_required=counted("tools.required", 99, asked={})), "not-applicable"),
        ("chat.reach.accepts", [refused("reach.developer", 400, "unsupported_value")], "not-applicable"),
        ("chat.reach.accepts", [refused("reach.plain", 503)], "inconclusive"),
        ("chat.reach.accepts", [refused("reach.plain", 500)], "inconclusive"),
    ],
)
def test_what_proves_nothing_is_no_finding(
    clauses: dict[str, Any], id: str, exchanges: list[Exchange], outcome: str
) -> None:
    assert outcome_of(clauses[id], *exchanges) == outcome


def test_the_respelled_request_says_the_same_in_other_bytes(contract: Callable[[str], ModuleType]) -> None:
    probes = {probe.id: probe for probe in contents([contract("chat_reach")])[1]}
    plain, respelled = (encoded(bind(probes[f"reach.{one}"].first, Models("m"))) for one in ("plain", "respelled"))
    assert json.loads(plain) == json.loads(respelled)
    assert not plain.isascii()
    assert respelled.isascii()
    assert len(probes) == 7
