"""Sampling: what a sequence of samples decides, and how a run takes them."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from made import answer

from wireproof.certification import load_contracts, prepare, report_of, run
from wireproof.clause import Clause, Exchange, answered, expect, together
from wireproof.fetch import Target
from wireproof.journal import Run
from wireproof.judge import Verdict, judge, run_outcome
from wireproof.order import Order
from wireproof.plan import Budget, Models
from wireproof.sampling import first_answers, settled, tally, wilson
from wireproof.standin.virtual import VirtualClock, VirtualTransport
from wireproof.standin.wire import Answer, Ask, json_answer


def obeys(exchange: Exchange) -> None:
    expect(exchange.json["said"] == "yes", expected="yes", got=exchange.json["said"])


OBEYS = Clause("made.obeys", "MUST", "It obeys.", "SPEC", answered(probes="ask"), "obedience", obeys)


def sample(number: int, said: str) -> Exchange:
    return answer({"said": said}, probe="ask" if number == 1 else f"ask@{number}")


def verdict(*said: str, clause: Clause = OBEYS) -> Verdict:
    exchanges = [sample(number, one) for number, one in enumerate(said, 1)]
    return settled(judge([clause], first_answers(exchanges)), exchanges)[0]


# ------------------------------------------------------------------------------------------- the test


def test_two_breaches_in_a_row_are_a_fail_and_thirty_one_kept_a_pass() -> None:
    assert (tally([False, False]).decided, tally([False, False]).outcome) == ("bad", "fail")
    assert tally([True] * 30).decided is None
    assert (tally([True] * 31).decided, tally([True] * 31).outcome) == ("good", "pass")


def test_what_is_not_decided_is_flaky_when_both_were_seen() -> None:
    assert tally([True, False, True, True]).outcome == "flaky"
    assert (tally([True] * 5).outcome, tally([False]).outcome) == ("pass", "fail")


def test_samples_after_the_decision_are_not_looked_at() -> None:
    assert tally([False, False, *[True] * 50]) == tally([False, False])


@pytest.mark.parametrize(
    ("kept", "tried", "low", "high"), [(0, 0, 0, 1), (0, 10, 0, 0.278), (9, 10, 0.596, 0.982), (10, 10, 0.722, 1)]
)
def test_wilsons_bounds(kept: int, tried: int, low: float, high: float) -> None:
    assert wilson(kept, tried) == pytest.approx((low, high), abs=0.001)


def test_a_backend_at_either_hypothesis_is_rarely_misjudged() -> None:
    """Every twentieth time at most: here over 400 backends, drawn with a fixed seed."""
    import random

    dice = random.Random(7)
    for rate, wrong in ((0.99, "bad"), (0.90, "good")):
        found: list[str | None] = [tally(dice.random() < rate for _ in range(400)).decided for _ in range(400)]
        assert found.count(wrong) / 400 < 0.08


# --------------------------------------------------------------------------------------- the verdicts


def test_one_sample_leaves_a_verdict_as_it_is() -> None:
    assert (verdict("no").outcome, verdict("no").reason) == ("fail", "")
    assert (verdict("yes").outcome, verdict("yes").reason) == ("pass", "")


def test_a_breach_among_many_is_flaky_with_its_interval_and_its_exchange() -> None:
    found = verdict("yes", "no", "yes", "yes")
    assert found.outcome == "flaky"
    assert found.reason == "kept in 3 of 4 samples (95 % interval 0.30 to 0.95)"
    assert [finding.where.exchange for finding in found.findings] == ["ask@2"]
    assert found.judged == ("ask", "ask@2", "ask@3", "ask@4")
    assert run_outcome([found]) == "incomplete"


def test_breach_upon_breach_is_a_fail_and_kept_upon_kept_a_pass() -> None:
    assert (verdict("no", "no").outcome, len(verdict("no", "no").findings)) == ("fail", 2)
    found = verdict("yes", "yes", "yes")
    assert (found.outcome, found.findings, found.reason[:19]) == ("pass", (), "kept in 3 of 3 samp")


def test_clauses_that_need_no_obedience_are_not_sampled() -> None:
    plain = Clause("made.law", "MUST", "A law.", "SPEC", answered(probes="ask"), "none", obeys)
    assert verdict("yes", "no", "no", clause=plain).outcome == "pass"


def test_a_clause_of_two_exchanges_is_judged_round_by_round() -> None:
    def agree(one: Exchange, other: Exchange) -> None:
        expect(one.json == other.json, expected="the same", got="another")

    both = Clause("made.both", "SHOULD", "Two agree.", "SPEC", together("a", "b"), "obedience", agree)
    exchanges = [answer({"said": said}, probe=probe) for probe, said in
                 [("a", "x"), ("b", "x"), ("a@2", "x"), ("b@2", "y"), ("a@3", "x")]]  # fmt: skip
    found = settled(judge([both], first_answers(exchanges)), exchanges)[0]
    assert (found.outcome, found.findings[0].where.exchange) == ("flaky", "b@2")


# --------------------------------------------------------------------------------------------- a run

CONTRACT = '''
from wireproof.clause import MODEL, Exchange, answered, clause, expect, probe

PROBES = (probe("mine.ask", "POST", "/chat/completions",
                {"model": MODEL, "messages": [{"role": "user", "content": "Yes."}], "max_tokens": 4}, about="a wish"),)


@clause("mine.obeys", level="MUST", source="mine", on=answered(probes="mine.ask"), model="obedience")
def obeys(exchange: Exchange) -> None:
    """It obeys."""
    expect(exchange.json["said"] == "yes", expected="yes", got=exchange.json["said"])
'''


def sampled(folder: Path, said: Callable[[int], str], samples: int = 6, **more: Any) -> tuple[Run, Order]:
    """A run of one clause against a backend that answers `said(n)` the n-th time, from 1."""
    (folder / "mine").mkdir(exist_ok=True)
    (folder / "mine" / "mine.py").write_text(CONTRACT)
    calls = count(1)

    def serve(ask: Ask) -> Answer:
        return json_answer({"said": said(next(calls)), "usage": {"prompt_tokens": 8, "completion_tokens": 2}})

    order = Order(Target("http://standin/v1", "sk-looks-fake-0123"), Models("gpt-4.1-mini"), only=("mine.obeys",),
                  contracts=(folder / "mine",), samples=samples, **more)  # fmt: skip
    _, plan = prepare(order)
    clock = VirtualClock()
    recorder: dict[str, Any] = {"transport": VirtualTransport(serve, clock), "clock": clock, "wall": clock}
    return run(order, plan, folder / "out", sleep=clock.sleep, **recorder), order


def report(recorded: Run, order: Order) -> Any:
    return report_of(recorded, load_contracts(order.contracts)[0])


def test_a_run_takes_samples_until_it_knows(tmp_path: Path) -> None:
    recorded, order = sampled(tmp_path, lambda n: "no")
    assert [exchange.id for exchange in recorded.exchanges] == ["mine.ask", "mine.ask@2"]
    told = report(recorded, order)
    assert (told.outcome, told.verdicts[0].outcome) == ("nonconformant", "fail")


def test_a_run_takes_no_more_samples_than_it_may(tmp_path: Path) -> None:
    recorded, order = sampled(tmp_path, lambda n: "no" if n == 3 else "yes")
    assert len(recorded.exchanges) == 6
    told = report(recorded, order)
    assert (told.outcome, told.verdicts[0].outcome) == ("incomplete", "flaky")
    once, order = sampled(tmp_path, lambda n: "yes", samples=1)
    assert len(once.exchanges) == 1
    assert report(once, order).verdicts[0].reason == ""


def test_samples_stay_within_the_budget(tmp_path: Path) -> None:
    recorded, order = sampled(tmp_path, lambda n: "yes", budget=Budget(calls=3))
    assert len(recorded.exchanges) == 3
    assert list(recorded.unsent) == ["mine.ask@4"]
    assert report(recorded, order).verdicts[0].outcome == "pass"


def test_a_flaky_clause_is_in_the_reports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from wireproof.cli import run as command

    sampled(tmp_path, lambda n: "no" if n == 3 else "yes")
    out = tmp_path / "report"
    judged = [
        "judge",
        str(tmp_path / "out" / "journal.jsonl"),
        "--contracts",
        str(tmp_path / "mine"),
        "--out",
        str(out),
    ]
    assert command(judged) == 3
    assert "kept in 5 of 6 samples" in capsys.readouterr().out
    assert "- flaky: kept in 5 of 6 samples" in (out / "report.md").read_text()
    row = json.loads((out / "verdicts.json").read_text())["clauses"][0]
    assert (row["outcome"], row["findings"][0]["where"]["exchange"]) == ("flaky", "mine.ask@3")
