"""Thresholds: read, judged, and honest about what is missing."""

from __future__ import annotations

from typing import Any

import pytest

from wireproof.traffic.threshold import BadThreshold, parse, rule

SUMMARY: dict[str, Any] = {
    "metrics": {"ttft_ms": {"p95": 120.0, "p99": None}},
    "outcomes": {"ok": 9},
    "rates": {"admitted_rpm": 102.0},
    "limit": {"rpm": 100, "tpm": None},
    "client": {"cpu_s": 2.0},
    "stages": {"hold": {"metrics": {"ttft_ms": {"p95": 900.0}}, "outcomes": {}, "rates": {}, "saturated": None}},
}


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("ttft_ms.p95 < 800", True),
        ("ttft_ms.p95 < 120", False),
        ("ttft_ms.p95 <= 120", True),
        ("ttft_ms.p95 < 800 @hold", False),
        ("outcomes.throttled_requests == 0", True),
        ("outcomes.ok > 9", False),
        ("rates.admitted_rpm within 3% of limit.rpm", True),
        ("rates.admitted_rpm within 1% of limit.rpm", False),
        ("rates.admitted_rpm >= limit.rpm", True),
        ("client.cpu_s < 10 @hold", True),
    ],
)
def test_a_threshold_is_kept_or_not(text: str, kept: bool) -> None:
    assert rule(parse(text), SUMMARY).kept is kept


@pytest.mark.parametrize(
    "text",
    [
        "ttft_ms.p99 < 800",
        "rates.admitted_rpm within 3% of limit.tpm",
        "saturated.admitted_rpm > 0 @hold",
        "saturated.admitted_rpm > 0",
    ],
)
def test_a_figure_that_is_not_there_is_neither_kept_nor_broken(text: str) -> None:
    got = rule(parse(text), SUMMARY)
    assert got.kept is None
    assert got.why.startswith("no value for")


@pytest.mark.parametrize(
    "text", ["", "ttft_ms < 3", "ttft_ms.p95 near 3", "ttft_ms.p95 < fast", "tft.p95 < 3", "ttft_ms.p97 < 3"]
)
def test_what_cannot_be_read_says_what_was_expected(text: str) -> None:
    with pytest.raises(BadThreshold, match=r"expected|there are|has"):
        parse(text)
