"""Judging: which evidence a clause sees, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from made import answer, outcome_of, stream, verdict_of

from wireproof.clause import (
    Evidence,
    Exchange,
    Inconclusive,
    NotApplicable,
    Trouble,
    answered,
    clause,
    expect,
    refused,
    sent,
    sequence,
    steps,
    together,
    where_served,
)
from wireproof.judge import Planned, judge, run_outcome

WHOLE = {"ok": True}


def a_clause(on: Evidence, judge: Callable[..., None] = lambda *exchanges: None, level: Any = "MUST") -> Any:
    def check(*exchanges: Any) -> None:
        """A promise."""
        judge(*exchanges)

    return clause("test.clause", level=level, source="SPEC", on=on)(check).clause  # type: ignore[attr-defined]


def breaks(*exchanges: Any) -> None:
    expect(False, expected="this", got={"that": 1}, at="/choices/3/index")


def test_a_clause_that_returns_is_kept_and_one_that_expects_otherwise_is_broken() -> None:
    assert outcome_of(a_clause(answered()), answer(WHOLE)) == "pass"
    verdict = verdict_of(a_clause(answered(), breaks), answer(WHOLE))
    assert verdict.outcome == "fail"
    [finding] = verdict.findings
    assert (finding.expected, finding.got, str(finding.where)) == ("this", '{"that": 1}', "made /choices/3/index")


def test_the_fingerprint_is_the_same_in_every_run_and_for_every_index() -> None:
    def at(pointer: str, got: str) -> str:
        judging = a_clause(answered(), lambda e: expect(False, expected="x", got=got, at=pointer))
        return verdict_of(judging, answer(WHOLE)).findings[0].fingerprint

    assert at("/choices/0/index", "1") == at("/choices/7/index", "2")
    assert at("/choices/0/index", "1") != at("/choices/0/delta", "1")


@pytest.mark.parametrize(("body", "said"), [(b"<html>", "made: not JSON"), ({}, "the clause itself failed: KeyError")])
def test_evidence_that_cannot_be_told_from_an_answer_is_inconclusive(body: Any, said: str) -> None:
    on = answered(shows=lambda exchange: exchange.json["ok"])
    verdict = verdict_of(a_clause(on), answer(body))
    assert verdict.outcome == "inconclusive"
    assert said in verdict.reason
    assert outcome_of(a_clause(on), answer(body), answer(WHOLE)) == "pass"
    assert outcome_of(a_clause(on, breaks), answer(body), answer(WHOLE)) == "fail"


SPOILT = "\ud800\x1b[2J\x7f\r and\nmore"
LEGIBLE = "\\ud800\\u001b[2J\\u007f\\u000d and\nmore"


def test_what_a_target_says_can_neither_steer_a_terminal_nor_keep_a_report_from_being_written() -> None:
    def break_it(exchange: Exchange) -> None:
        expect(False, expected=SPOILT, got=SPOILT, at=f"/{SPOILT}")

    [finding] = verdict_of(a_clause(answered(), break_it), answer(WHOLE)).findings
    assert (finding.expected, finding.got, finding.where.pointer) == (LEGIBLE, LEGIBLE, f"/{LEGIBLE}")
    refusal = answer({"error": {"message": SPOILT}}, status=400)
    assert verdict_of(a_clause(answered()), refusal).reason.endswith(LEGIBLE)


@pytest.mark.parametrize(
    ("on", "exchange", "seen"),
    [
        (answered(), answer(WHOLE), True),
        (answered(), answer(WHOLE, status=404), False),
        (refused(), answer(WHOLE, status=404), True),
        (refused(status="429"), answer(WHOLE, status=404), False),
        (sent(), answer(WHOLE, status=500), True),
        (sent(), answer(WHOLE, status=None), False),
        (answered("createEmbedding"), answer(WHOLE), False),
        (answered("createChatCompletion"), answer(WHOLE), True),
        (answered(streamed=True), answer(WHOLE), False),
        (answered(streamed=True), stream([]), True),
        (answered(asks=lambda body: body.get("n") == 2), answer(WHOLE, asked={"n": 2}), True),
        (answered(asks=lambda body: body.get("n") == 2), answer(WHOLE, asked={"n": 3}), False),
        (answered(shows=lambda e: "ok" in e.json), answer(WHOLE), True),
        (answered(shows=lambda e: "no" in e.json), answer(WHOLE), False),
        (answered(probes="chat.*"), answer(WHOLE, probe="chat.n"), True),
        (answered(probes="chat.*"), answer(WHOLE, probe="models.list"), False),
    ],
)
def test_evidence_is_chosen_by_what_was_asked_and_answered(on: Evidence, exchange: Exchange, seen: bool) -> None:
    assert outcome_of(a_clause(on), exchange) == ("pass" if seen else "not-applicable") or exchange.status is None


TORN = Trouble("truncated", "the connection was closed", True)


def test_a_torn_answer_is_no_evidence_but_for_clauses_about_it() -> None:
    exchange = answer(WHOLE, trouble=TORN)
    verdict = verdict_of(a_clause(answered()), exchange)
    assert (verdict.outcome, verdict.reason) == ("inconclusive", "made: the connection was closed")
    assert outcome_of(a_clause(Evidence(status="any", troubled=True)), exchange) == "pass"


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(500, "inconclusive"), (429, "inconclusive"), (400, "not-applicable"), (501, "not-applicable")],
)
def test_what_was_refused_does_not_apply_and_what_failed_cannot_be_told(status: int, outcome: str) -> None:
    verdict = verdict_of(a_clause(answered()), answer({"error": {"message": "no logprobs here"}}, status=status))
    assert verdict.outcome == outcome
    assert verdict.reason == f"made was answered {status}: no logprobs here"


def test_one_breach_outweighs_any_number_of_kept_answers() -> None:
    judging = a_clause(answered(), lambda e: expect(e.json["ok"], expected="ok", got=e.json))
    verdict = verdict_of(judging, answer(WHOLE), answer({"ok": False}, probe="second"), answer(WHOLE))
    assert verdict.outcome == "fail"
    assert [finding.where.exchange for finding in verdict.findings] == ["second"]


def _raises(error: Exception) -> Callable[..., None]:
    def judging(*exchanges: Any) -> None:
        raise error

    return judging


@pytest.mark.parametrize(
    ("error", "outcome", "reason"),
    [
        (NotApplicable("no usage"), "not-applicable", "no usage"),
        (Inconclusive("too short"), "inconclusive", "made: too short"),
        (KeyError("choices"), "inconclusive", "made: the clause itself failed: KeyError: 'choices'"),
    ],
)
def test_our_own_failure_is_never_the_targets(error: Exception, outcome: str, reason: str) -> None:
    verdict = verdict_of(a_clause(answered(), _raises(error)), answer(WHOLE))
    assert (verdict.outcome, verdict.reason) == (outcome, reason)


def test_a_body_that_is_not_json_is_not_the_clauses_business() -> None:
    verdict = verdict_of(a_clause(answered(), lambda e: e.json["ok"]), answer(b"<html>"))
    assert verdict.outcome == "inconclusive"
    assert "not JSON" in verdict.reason


def test_a_comparison_gets_its_exchanges_in_the_order_it_named_them() -> None:
    order: list[str] = []
    judging = a_clause(together("b", "a"), lambda b, a: order.extend([b.probe, a.probe]))
    assert outcome_of(judging, answer(WHOLE, probe="a"), answer(WHOLE, probe="b")) == "pass"
    assert order == ["b", "a"]


def test_a_comparison_with_one_side_refused_does_not_apply() -> None:
    verdict = verdict_of(a_clause(together("a", "b")), answer(WHOLE, probe="a"), answer(WHOLE, probe="b", status=400))
    assert (verdict.outcome, verdict.reason) == ("not-applicable", "b was answered 400")


def test_a_comparison_takes_the_attempt_that_was_answered() -> None:
    throttled = answer({}, probe="a", status=429)
    assert outcome_of(a_clause(together("a")), throttled, answer(WHOLE, probe="a", attempt=2)) == "pass"


def test_a_flow_is_judged_in_order_of_its_steps() -> None:
    order: list[int] = []
    judging = a_clause(steps("f"), lambda exchanges: order.extend(e.step for e in exchanges))
    outcome_of(judging, answer(WHOLE, probe="f", step=1), answer(WHOLE, probe="f", step=0))
    assert order == [0, 1]


def test_a_sequence_may_say_which_exchange_broke_it() -> None:
    judging = a_clause(sequence(answered()), lambda all: expect(False, expected="x", got="y", at="first /id"))
    verdict = verdict_of(judging, answer(WHOLE, probe="first"), answer(WHOLE, probe="second"))
    assert str(verdict.findings[0].where) == "first /id"


def test_what_was_not_sent_is_undecided_and_what_was_left_out_does_not_apply() -> None:
    judging = a_clause(answered(probes="p"))
    [spent] = judge([judging], [], [Planned("p", unsent="the budget is spent")])
    assert (spent.outcome, spent.reason) == ("inconclusive", "p was not sent: the budget is spent")
    [left_out] = judge([judging], [], [Planned("p", unsent="no model was named", declined=True)])
    assert left_out.outcome == "not-applicable"


@pytest.mark.parametrize(
    ("levels", "fail_on", "outcome"),
    [
        (["MUST"], "MUST", "nonconformant"),
        (["SHOULD"], "SHOULD", "nonconformant"),
        (["SHOULD"], "MUST", "conformant"),
        (["MAY"], "SHOULD", "conformant"),
        (["MAY"], "MAY", "nonconformant"),
        ([], "MAY", "conformant"),
    ],
)
def test_the_level_that_fails_a_run_is_the_users_choice(levels: list[str], fail_on: Any, outcome: str) -> None:
    verdicts = [verdict_of(a_clause(answered(), breaks, level), answer(WHOLE)) for level in levels]
    assert run_outcome(verdicts, fail_on) == outcome


def test_an_undecided_must_makes_the_run_incomplete_and_an_undecided_should_does_not() -> None:
    doubt = _raises(Inconclusive("?"))
    for level, outcome in (("MUST", "incomplete"), ("SHOULD", "conformant")):
        assert run_outcome([verdict_of(a_clause(answered(), doubt, level), answer(WHOLE))]) == outcome


def test_judging_twice_agrees() -> None:
    judging, exchanges = a_clause(answered(), breaks), [answer(WHOLE), answer(WHOLE, probe="b")]
    assert judge([judging], exchanges) == judge([judging], exchanges)


def test_what_lies_behind_a_url_is_evidence_only_for_clauses_of_its_probe() -> None:
    @clause("made.all", level="MUST", source="SPEC", on=sent())
    def all_of_them(exchange: Exchange) -> None:
        """Nothing is right."""
        expect(False, expected="better", got="this")

    @clause("made.fetched", level="MUST", source="SPEC", on=sent(probes="made"))
    def fetched(exchange: Exchange) -> None:
        """Nothing is right."""
        expect(False, expected="better", got="this")

    elsewhere = answer(b"bytes", operation=None, method="GET", path="https://store.example.com/1")
    assert outcome_of(all_of_them, elsewhere) == "not-applicable"
    assert outcome_of(fetched, elsewhere) == "fail"


CHAT = "createChatCompletion"
PLAN = (Planned("chat.plain", CHAT), Planned("errors.range", CHAT, expects="refusal"))


def _of_chat(status: int, probe: str = "errors.range") -> Exchange:
    return answer(WHOLE, status=status, probe=probe, operation=CHAT)


@pytest.mark.parametrize(
    ("plain", "outcome"),
    [(404, "not-applicable"), (501, "not-applicable"), (200, "fail"), (400, "fail"), (500, "fail")],
)
def test_what_is_not_served_is_not_judged_by_its_404(plain: int, outcome: str) -> None:
    one = a_clause(where_served(sent(CHAT, probes="errors.*")), breaks)
    [verdict] = judge([one], [_of_chat(plain, "chat.plain"), _of_chat(404)], PLAN)
    assert verdict.outcome == outcome
    if outcome != "fail":
        assert verdict.reason == f"{CHAT} is not served: chat.plain was answered {plain}"


def test_a_404_to_what_was_wrong_on_purpose_shows_nothing_unserved() -> None:
    one = a_clause(where_served(sent(CHAT)), breaks)
    assert judge([one], [_of_chat(404)], PLAN)[0].outcome == "fail"
    assert judge([one], [_of_chat(404, "chat.plain")])[0].outcome == "fail"
