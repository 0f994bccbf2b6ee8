"""report.html of a load run: one page, no script, no request to anywhere. Charts are drawn as SVG here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

FILE = "report.html"
METRICS = {
    "ttft_ms": ("Time to first token", "request sent to first token received"),
    "itl_ms": ("Inter-token latency", "gap between consecutive events that carry tokens"),
    "tpot_ms": ("Time per output token", "mean of a request, after its first token"),
    "e2e_ms": ("End to end", "request sent to last token"),
    "queue_delay_ms": ("Queue delay", "planned moment to request sent; ours, not the target's"),
    "throttle_ms": ("Refusals", "request sent to the end of a 429"),
}
RATES = {"offered": "#8a8f98", "admitted": "#1a7f37", "throttled": "#bf8700", "failed": "#cf222e"}
LATENCIES = {"ttft_p50": "#0969da", "ttft_p95": "#54aeff", "e2e_p50": "#8250df", "e2e_p95": "#c297ff"}
WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 900, 220, 56, 10, 26


def render(summary: dict[str, Any]) -> str:
    pages = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    pages.filters["ms"] = _ms
    pages.filters["bound"] = lambda value, otherwise: otherwise if value is None else f"{value:.2f}"
    return pages.get_template("load.html.j2").render(
        s=summary,
        metrics={name: about for name, about in METRICS.items() if summary["metrics"][name]["n"]},
        rates=chart(summary["timeline"], RATES, "requests/s"),
        latencies=chart(summary["timeline"], LATENCIES, "ms"),
    )


def chart(timeline: dict[str, Any], series: dict[str, str], unit: str) -> dict[str, Any]:
    """What the template draws: `{width, height, lines: [{name, colour, points}], ticks, stages, unit}`.

    `points` are lists of polylines: a bin without a value breaks the line instead of bending it to zero.
    """
    bins, bin_s = timeline["bins"], timeline["bin_s"]
    end = max((row["t"] + bin_s for row in bins), default=1.0)
    top = _round_up(max((row[name] or 0.0 for row in bins for name in series), default=1.0) or 1.0)

    def across(t: float) -> float:
        return round(LEFT + (WIDTH - LEFT - 10) * t / end, 1)

    def up(value: float) -> float:
        return round(HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * value / top, 1)

    lines = []
    told = [name for name in series if any(row[name] is not None for row in bins)]
    for name in told:
        runs: list[list[str]] = [[]]
        for row in bins:
            if row[name] is None:
                runs.append([])
            else:
                runs[-1].append(f"{across(row['t'] + bin_s / 2)},{up(row[name])}")
        points = [" ".join(run) for run in runs if len(run) > 1]
        dots = [run[0].split(",") for run in runs if len(run) == 1]
        lines.append({"name": name.replace("_", " "), "colour": series[name], "points": points, "dots": dots})
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "left": LEFT,
        "floor": HEIGHT - BOTTOM,
        "top": TOP,
        "unit": unit,
        "lines": lines,
        "levels": [(up(top * part / 4), f"{top * part / 4:g}") for part in range(5)],
        "seconds": [(across(end * part / 6), f"{end * part / 6:.0f} s") for part in range(7)],
        "stages": [
            (across(one["began_s"]), across(min(one["ended_s"], end)), one["name"]) for one in timeline["stages"]
        ],
    }


def _round_up(value: float) -> float:
    """The next 1, 2, 2.5 or 5 times a power of ten: an axis that reads well."""
    power = 10.0 ** (len(str(int(value))) - 1) if value >= 1 else 0.01
    while True:
        for step in (1, 2, 2.5, 5):
            if step * power >= value:
                return step * power
        power *= 10


def _ms(row: dict[str, Any], key: str) -> str:
    if row[key] is not None:
        return f"{row[key]:.2f}"
    return f"> {row['beyond'][key]:.1f}" if key in row["beyond"] else "-"
