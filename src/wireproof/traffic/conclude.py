"""From what the workers wrote to what the run is told as: merged samples, the summary, every report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from wireproof.content import load_file, shelf
from wireproof.traffic.contract import judged_headers
from wireproof.traffic.keepsake import read_exchanges
from wireproof.traffic.run import read_runs, workers_folder
from wireproof.traffic.sample import line, read_samples
from wireproof.traffic.settings import read_settings
from wireproof.traffic.summary import summarize

TRUTH = "truth.json"


def conclude(out: Path) -> dict[str, Any]:
    """Writes `samples.jsonl`, `summary.json` and the reports into `out`; returns the summary.

    A function of what lies in the folder: the same today and tomorrow. Raises BadSettings, BadProfile.
    """
    settings = read_settings(out)
    plan, folder = settings.plan(), workers_folder(out)
    samples = sorted(read_samples(sorted(folder.glob("samples-*.jsonl"))), key=lambda sample: sample.t_sched)
    runs = read_runs(folder)
    began_unix = min((run.began_unix for run in runs), default=0.0)
    contract = judged_headers(read_exchanges(folder, began_unix))
    summary = summarize(plan, settings.target(), samples, runs, settings.workers, contract, _truth(folder))
    with (out / "samples.jsonl").open("w", encoding="utf-8") as rows:
        rows.writelines(line(sample) for sample in samples)
    for name, text in rendered(summary).items():
        (out / name).write_text(text, encoding="utf-8")
    return summary


def rendered(summary: dict[str, Any]) -> dict[str, str]:
    """The text of every artifact by file name: each `reports/load_*.py` has `FILE` and `render(summary)`."""
    files = sorted(shelf("reports").glob("load_*.py"))
    modules = [load_file(path, "reports") for path in files]
    return {module.FILE: module.render(summary) for module in modules}


def _truth(folder: Path) -> dict[str, Any] | None:
    path = folder / TRUTH
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
