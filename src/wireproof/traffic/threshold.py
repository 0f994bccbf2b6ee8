"""Thresholds: one line of text about one figure of the summary, parsed once, judged once.

    ttft_ms.p95 < 800
    outcomes.throttled_requests == 0 @sustain
    saturated.admitted_rpm within 3% of limit.rpm @saturate-rpm

`@stage` looks at the figures of one stage; without it the figures of all judged stages together count.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from wireproof.traffic.outcome import OUTCOMES

COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}
METRICS = ("ttft_ms", "itl_ms", "tpot_ms", "e2e_ms", "queue_delay_ms", "throttle_ms")
FIELDS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(METRICS, ("p50", "p90", "p95", "p99", "mean", "n")),
    "outcomes": OUTCOMES,
    "rates": tuple(
        f"{what}_{unit}" for what in ("offered", "admitted", "throttled", "failed") for unit in ("rpm", "tpm")
    ),
    "saturated": ("admitted_rpm", "admitted_tpm", "admitted"),
    "goodput": ("rps", "share"),
    "limit": ("rpm", "tpm", "rpd"),
    "client": ("cpu_s", "rss_mb"),
}
_PATH = r"[a-z_]+\.[a-z0-9_]+"
_NUMBER = r"-?\d+(?:\.\d+)?"
_PLAIN = re.compile(rf"^({_PATH})\s*(<=|>=|==|<|>)\s*({_NUMBER}|{_PATH})(?:\s*@([a-z0-9-]+))?$")
_WITHIN = re.compile(rf"^({_PATH})\s+within\s+({_NUMBER})%\s+of\s+({_NUMBER}|{_PATH})(?:\s*@([a-z0-9-]+))?$")


class BadThreshold(ValueError):
    """Says what was expected in its place."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """`op` is a key of COMPARE or `within`; `limit` a number or the path of another figure; `tolerance` a share."""

    text: str
    path: str
    op: str
    limit: float | str
    tolerance: float
    stage: str | None


@dataclass(frozen=True, slots=True)
class Ruling:
    """`kept` is None when the figure was not there to judge; `why` says so, or gives the margin."""

    text: str
    stage: str | None
    value: float | None
    limit: float | None
    kept: bool | None
    why: str


def parse(text: str) -> Threshold:
    """Raises BadThreshold."""
    line = " ".join(text.split())
    if found := _PLAIN.match(line):
        path, op, limit, stage = found.groups()
        share = 0.0
    elif found := _WITHIN.match(line):
        path, percent, limit, stage = found.groups()
        op, share = "within", float(percent) / 100
    else:
        raise BadThreshold(
            f"{text!r}: expected `figure < number`, or `figure within 3% of figure`, then perhaps @stage"
        )
    return Threshold(line, _known(path), op, _limit(limit), share, stage)


def rule(threshold: Threshold, summary: Mapping[str, Any]) -> Ruling:
    """Judges against a summary (see `summary.summarize`)."""
    figures = summary if threshold.stage is None else summary["stages"].get(threshold.stage, {})
    value = _figure(figures, threshold.path, summary)
    limit = _figure(figures, threshold.limit, summary) if isinstance(threshold.limit, str) else threshold.limit
    missing = [str(name) for name, got in ((threshold.path, value), (threshold.limit, limit)) if got is None]
    if value is None or limit is None:
        return Ruling(threshold.text, threshold.stage, value, limit, None, f"no value for {', '.join(missing)}")
    if threshold.op == "within":
        return _within(threshold, value, limit, _error(threshold.path, figures))
    kept = COMPARE[threshold.op](value, limit)
    return Ruling(threshold.text, threshold.stage, value, limit, kept, f"{value:g} against {limit:g}")


def _within(threshold: Threshold, value: float, limit: float, error: float) -> Ruling:
    """An error that is wider than the tolerance can break the threshold, but never keep it."""
    off = (value - limit) / limit if limit else float("inf")
    why = f"{off:+.2%} off" + (f", ± {error:.2%}" if error else "")
    close, sure = abs(off) <= threshold.tolerance, error <= threshold.tolerance
    kept = close if sure else False if abs(off) - error > threshold.tolerance else None
    return Ruling(threshold.text, threshold.stage, value, limit, kept, why)


def _error(path: str, figures: Mapping[str, Any]) -> float:
    """The known error of a figure, as a share of it; 0 where none is known."""
    if not path.startswith("saturated."):
        return 0.0
    percent = (figures.get("saturated") or {}).get("error_percent")
    return float("inf") if percent is None else percent / 100


def _limit(text: str) -> float | str:
    return float(text) if re.fullmatch(_NUMBER, text) else _known(text)


def _known(path: str) -> str:
    group, _, field = path.partition(".")
    if group not in FIELDS:
        raise BadThreshold(f"{path!r}: no figures called {group!r}; there are {', '.join(FIELDS)}")
    if field not in FIELDS[group]:
        raise BadThreshold(f"{path!r}: {group} has {', '.join(FIELDS[group])}")
    return path


def _figure(figures: Mapping[str, Any], path: str, summary: Mapping[str, Any]) -> float | None:
    group, _, field = path.partition(".")
    # Limits and the client belong to the run, not to one of its stages.
    home = summary if group in ("limit", "client") else figures
    table = home.get("metrics", {}).get(group) if group in METRICS else home.get(group)
    value = (table or {}).get(field, 0 if group == "outcomes" and table is not None else None)
    return None if value is None else float(value)
