"""From samples to summary: figures, validity, outcome, and the artifacts made of it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as Xml

import jsonschema
import pytest
from pushed import TARGET, plan, refusal, sample, worker_run

from wireproof.content import shelf
from wireproof.traffic.conclude import rendered
from wireproof.traffic.plan import Ceiling
from wireproof.traffic.sample import Sample
from wireproof.traffic.summary import summarize

LIMITS = Ceiling("tier-1", "m", 60, 6_000, None, 60.0)
TEN = [sample(number, float(number)) for number in range(10)]


def summary_of(samples: list[Sample], **more: Any) -> dict[str, Any]:
    ceiling = more.pop("ceiling", None)
    changes = more.pop("changes", {})
    return summarize(plan(ceiling, **changes), TARGET, samples, (worker_run(samples, **more),))


def test_ten_good_requests_are_kept_and_valid() -> None:
    got = summary_of(TEN)
    assert (got["outcome"], got["validity"]["verdict"]) == ("kept", "VALID")
    assert got["metrics"]["ttft_ms"]["p50"] == 100.0
    assert got["metrics"]["itl_ms"] | {"n": 20, "p50": 20.0} == got["metrics"]["itl_ms"]
    assert got["metrics"]["tpot_ms"]["p50"] == 20.0
    assert got["metrics"]["e2e_ms"]["p50"] == 140.0
    assert got["metrics"]["queue_delay_ms"]["p50"] == 1.0
    assert got["rates"]["admitted_rpm"] == 60.0
    assert got["goodput"] == {"good": 10, "of": 10, "rps": 1.0, "share": 1.0}


def test_a_refusal_is_throttled_and_its_latency_a_series_of_its_own() -> None:
    got = summary_of([*TEN, refusal(10, 9.5)])
    assert got["outcomes"] == {"ok": 10, "throttled_requests": 1}
    assert got["metrics"]["e2e_ms"]["n"] == 10
    assert got["metrics"]["throttle_ms"]["n"] == 1
    assert got["rates"]["failed_rpm"] == 0.0
    assert got["goodput"]["share"] == pytest.approx(10 / 11, abs=1e-4)
    assert got["outcome"] == "broken"


def test_a_request_cut_by_the_test_counts_as_having_waited_that_long() -> None:
    cut = sample(10, 9.0, outcome="cancelled_by_test", t_end=39.001, t_tokn=None, t_tok1=None, gaps_ms=[], events=0)
    got = summary_of([*TEN, cut])
    assert got["metrics"]["e2e_ms"]["censored"] == 1
    assert got["metrics"]["e2e_ms"]["p99"] is None
    assert got["metrics"]["e2e_ms"]["beyond"]["p99"] == 30000.0
    assert got["goodput"]["of"] == 10


def test_a_request_unaccounted_for_makes_the_run_invalid() -> None:
    run = worker_run(TEN)
    got = summarize(plan(), TARGET, TEN[:-1], (run,))
    assert got["validity"]["verdict"] == "INVALID"
    assert got["outcome"] == "unclear"
    assert "10 requests were scheduled, 9 are accounted for" in got["validity"]["reasons"]


@pytest.mark.parametrize(
    ("notes", "reason"),
    [
        ({"interrupted": True}, "interrupted after 10.0 of 10.0 s"),
        ({"crashes": ("KeyError('x')",)}, "1 requests ended in an error of our own, first: KeyError('x')"),
        ({"interrupted": True, "blown": "the first 50 requests all failed"}, "the first 50 requests all failed"),
    ],
)
def test_a_run_that_was_cut_short_is_invalid_and_says_why(notes: dict[str, Any], reason: str) -> None:
    got = summary_of(TEN, **notes)
    assert got["validity"] == {"verdict": "INVALID", "reasons": [reason]}


def test_a_worker_that_never_came_back_makes_the_run_invalid() -> None:
    got = summarize(plan(), TARGET, TEN, (worker_run(TEN),), workers=2)
    assert got["validity"]["reasons"][0] == "1 of 2 workers came to their end"


def test_time_that_runs_backwards_makes_the_run_invalid() -> None:
    got = summary_of([*TEN[:-1], replace(TEN[-1], t_tok1=9.01, t_vis1=9.01)])
    assert got["validity"]["verdict"] == "INVALID"
    assert "t_tok1 90.0 ms before t_byte1" in got["validity"]["reasons"][0]


def test_late_sending_degrades_a_run_and_breaks_nothing() -> None:
    late = [replace(one, t_send0=(one.t_send0 or 0) + 0.01) for one in TEN]
    got = summary_of(late)
    assert (got["outcome"], got["validity"]["verdict"]) == ("kept", "DEGRADED")
    assert "we sent late: p99 11" in got["validity"]["reasons"][0]


def test_late_reading_degrades_a_run_only_without_kernel_time() -> None:
    slow = [[500, 10]]
    assert summary_of(TEN, recv_lag=slow)["validity"]["verdict"] == "VALID"
    assert summary_of(TEN, recv_lag=slow, clock="user")["validity"]["verdict"] == "DEGRADED"


def test_an_open_stage_that_lost_its_pace_degrades_the_run() -> None:
    got = summary_of(TEN, changes={"arrivals": {"open": {"rate_rps": 2}}})
    assert got["validity"]["reasons"] == ["stage hold sent 10 of 20 planned requests"]


def limited(per_s: float, offered: float, for_s: float) -> list[Sample]:
    """What a token bucket of `per_s`, empty at the start, does to constant arrivals."""
    level, last, got = 0.0, 0.0, []
    for number in range(int(offered * for_s)):
        at = (number + 0.5) / offered
        level, last = min(per_s * 60, level + (at - last) * per_s), at
        if level >= 1:
            level -= 1
            got.append(sample(number, at))
        else:
            got.append(refusal(number, at))
    return got


@pytest.mark.parametrize(("per_s", "offered"), [(2.0, 2.6), (10.0, 13.0), (1.37, 5.0)])
def test_the_admitted_rate_of_a_saturated_bucket_is_right_within_its_error(per_s: float, offered: float) -> None:
    samples = limited(per_s, offered, 60.0)
    ceiling = Ceiling("tier-1", "m", round(per_s * 60), None, None, 60.0)
    pushed = {"tier": "tier-1", "arrivals": {"open": {"rate_rps": offered}}}
    got = summary_of(samples, for_s=60.0, ceiling=ceiling, changes=pushed)["stages"]["hold"]["saturated"]
    off = abs(got["admitted_rpm"] / (per_s * 60) - 1)
    assert off * 100 <= got["error_percent"] + 0.01
    assert got["binding"] == "rpm"


PUSHED = {
    "tier": "tier-1",
    "arrivals": {"open": {"rate_rps": 1.5}},
    "stages": [{"name": "hold", "for_s": 60}],
    "thresholds": ["saturated.admitted_rpm within 3% of limit.rpm @hold"],
}


def test_a_target_that_refuses_nothing_beyond_its_limit_breaks_it() -> None:
    free = [sample(number, (number + 0.5) / 1.5) for number in range(90)]
    got = summary_of(free, for_s=60.0, ceiling=LIMITS, changes=PUSHED)
    assert got["stages"]["hold"]["saturated"]["admitted_rpm"] == 90.0
    assert got["stages"]["hold"]["saturated"]["refusals"] == 0
    assert (got["outcome"], got["thresholds"][0]["kept"]) == ("broken", False)


def test_a_rate_from_too_few_requests_is_neither_kept_nor_broken() -> None:
    few = limited(1.0, 1.5, 20.0)
    got = summary_of(few, for_s=20.0, ceiling=LIMITS, changes=PUSHED | {"stages": [{"name": "hold", "for_s": 20}]})
    assert got["thresholds"][0]["kept"] is None
    assert "±" in got["thresholds"][0]["why"]


def test_a_stage_below_its_limit_has_no_saturated_rate() -> None:
    assert summary_of(TEN, ceiling=LIMITS, changes={"tier": "tier-1"})["stages"]["hold"]["saturated"] is None


@pytest.mark.parametrize(
    "summary",
    [
        summary_of(TEN),
        summary_of([]),
        summary_of([*TEN, refusal(10, 5.5), refusal(11, 8.5)], ceiling=LIMITS, changes={"tier": "tier-1"}),
        summary_of([sample(0, 0.0, outcome="connect", status=None, t_send0=None)], interrupted=True),
    ],
    ids=["good", "empty", "throttled", "unconnected"],
)
def test_every_summary_follows_its_schema_and_renders_everywhere(summary: dict[str, Any]) -> None:
    schema = json.loads((shelf("reports") / "schemas" / "summary.schema.json").read_text())
    texts = rendered(summary)
    jsonschema.Draft202012Validator(schema).validate(json.loads(texts["summary.json"]))
    suite = Xml.fromstring(texts["junit.xml"])
    assert int(suite.get("tests") or 0) == len(suite.findall("testcase")) == len(summary["thresholds"]) + 1
    assert summary["outcome"] in texts["report.html"]
    assert summary["outcome"] in texts["report.md"]


def test_a_page_shows_what_the_target_said_as_text() -> None:
    summary = summary_of(TEN) | {"profile_summary": "<script>alert(1)</script>"}
    assert "<script>" not in rendered(summary)["report.html"]


def test_our_times_are_paired_with_those_of_the_stand_in() -> None:
    paired = [replace(one, request_id=f"r{one.number}") for one in TEN]
    truth = {"requests": [{"id": f"r{n}", "ttft_ms": 99.5, "itl_ms": [20.0, 19.0]} for n in range(10)]}
    got = summarize(plan(), TARGET, paired, (worker_run(paired),), truth=truth)["calibration"]
    assert got["paired"] == 10
    assert got["ttft_ms"] == {"p50": 100.0, "true_p50": 99.5, "error_p50": 0.5, "error_p99": 0.5}
    assert got["itl_ms"]["error_p99"] == 1.0
