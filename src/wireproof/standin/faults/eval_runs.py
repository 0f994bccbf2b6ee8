"""Departures of runs of evals: counts that do not add up, items that are lost or judged the wrong way round."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import edit_json, refused
from wireproof.standin.wire import Answer, Ask, Serve

RUNS, ITEMS = "/v1/evals/[^/]+/runs", "/v1/evals/[^/]+/runs/[^/]+/output_items"

Edit = Callable[[dict[str, Any]], Any]


def _is(ask: Ask, where: str, *methods: str) -> bool:
    return re.fullmatch(where, ask.path) is not None and (not methods or ask.method in methods)


def _rows(where: str, ask: Ask, serve: Serve, edit: Edit, *methods: str) -> Answer:
    """`edit` on everything that is served there, one thing or the rows of a list, and made as well: 201."""

    def every(body: dict[str, Any]) -> None:
        for row in body.get("data", [body]):
            edit(row)

    answer = serve(ask)
    if not _is(ask, where, *methods) or answer.status >= 300:
        return answer
    return replace(edit_json(replace(answer, status=200), every), status=answer.status)


def _run(ask: Ask, serve: Serve, edit: Edit, *methods: str) -> Answer:
    return _rows(f"{RUNS}(/[^/]+)?", ask, serve, edit, *methods)


def _item(ask: Ask, serve: Serve, edit: Edit) -> Answer:
    return _rows(f"{ITEMS}(/[^/]+)?", ask, serve, edit)


# ------------------------------------------------------------------------------------------------ each run


@fault("evals.runs.labels-lost", breaks="evals.runs.echo")
def labels_are_lost(ask: Ask, serve: Serve) -> Answer:
    """`metadata` of a run is always empty."""
    return _run(ask, serve, lambda run: run.update(metadata={}) if "metadata" in run else None)


@fault("evals.runs.refused", breaks="evals.runs.echo")
def runs_are_refused(ask: Ask, serve: Serve) -> Answer:
    """A run over items that are given with it is refused."""
    answer = serve(ask)
    return refused(answer, "Unsupported data source") if _is(ask, RUNS, "POST") else answer


@fault("evals.runs.created-ms", breaks="evals.runs.created")
def runs_are_created_in_milliseconds(ask: Ask, serve: Serve) -> Answer:
    """`created_at` of a run is in milliseconds."""
    return _run(ask, serve, lambda run: run.update(created_at=run["created_at"] * 1000) if "status" in run else None)


@fault("evals.runs.queued-again", breaks="evals.runs.moves")
def runs_are_queued_again(ask: Ask, serve: Serve) -> Answer:
    """In the list, a run is still queued."""
    return _rows(RUNS, ask, serve, lambda run: run.update(status="queued"), "GET")


@fault("evals.runs.read-another", breaks="evals.runs.same")
def another_run_is_read(ask: Ask, serve: Serve) -> Answer:
    """Who asks for a run is answered with another one, alike in all but its id."""
    return _rows(f"{RUNS}/[^/]+", ask, serve, lambda run: run.update(id="evalrun_0"), "GET")


@fault("evals.runs.unlisted", breaks="evals.runs.list")
def runs_are_not_listed(ask: Ask, serve: Serve) -> Answer:
    """The list of runs is empty."""
    nothing: dict[str, Any] = {"data": [], "first_id": None, "last_id": None}
    answer = serve(ask)
    return edit_json(answer, lambda body: body | nothing) if _is(ask, RUNS, "GET") else answer


@fault("evals.runs.passed-early", breaks="evals.runs.counts")
def items_pass_early(ask: Ask, serve: Serve) -> Answer:
    """A run that is queued has more items passed than it has items."""

    def edit(run: dict[str, Any]) -> None:
        if run.get("status") == "queued":
            run["result_counts"]["passed"] = run["result_counts"]["total"] + 1

    return _run(ask, serve, edit)


@fault("evals.runs.total-more", breaks="evals.runs.counts", also=("evals.runs.verdict",))
def the_total_is_more(ask: Ask, serve: Serve) -> Answer:
    """`total` of a run that was completed counts one item too many."""

    def edit(run: dict[str, Any]) -> None:
        if run.get("status") == "completed":
            run["result_counts"]["total"] += 1

    return _run(ask, serve, edit)


@fault("evals.runs.criteria-swapped", breaks="evals.runs.criteria")
def criteria_are_counted_twice(ask: Ask, serve: Serve) -> Answer:
    """What passed a criterion is counted twice."""

    def edit(run: dict[str, Any]) -> None:
        for one in run.get("per_testing_criteria_results", ()):
            one["passed"] *= 2

    return _run(ask, serve, edit)


@fault("evals.runs.error-always", breaks="evals.runs.error")
def every_run_has_an_error(ask: Ask, serve: Serve) -> Answer:
    """A run that was completed has an error all the same."""
    told = {"code": "unknown", "message": "Unknown error."}
    return _run(ask, serve, lambda run: run.update(error=told) if run.get("status") == "completed" else None)


@fault("evals.runs.tokens-apart", breaks="evals.runs.usage")
def tokens_do_not_add_up(ask: Ask, serve: Serve) -> Answer:
    """The total of the tokens of a model leaves out what it gave."""
    usage = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 9, "cached_tokens": 0}
    row = {"model_name": "gpt-4.1-mini", "invocation_count": 2, **usage}
    return _run(ask, serve, lambda run: run.update(per_model_usage=[row]) if "status" in run else None)


# ------------------------------------------------------------------------------------------------ its end


@fault("evals.runs.criteria-untold", breaks="evals.runs.verdict")
def criteria_are_not_told(ask: Ask, serve: Serve) -> Answer:
    """A run does not tell how its criteria were kept."""
    return _run(ask, serve, lambda run: run.update(per_testing_criteria_results=[]) if "status" in run else None)


@fault("evals.runs.all-pass", breaks="evals.runs.verdict", also=("evals.runs.criteria",))
def everything_passes(ask: Ask, serve: Serve) -> Answer:
    """Every item of a run is counted as passed."""

    def edit(run: dict[str, Any]) -> None:
        if run.get("status") == "completed":
            run["result_counts"].update(passed=run["result_counts"]["total"], failed=0)

    return _run(ask, serve, edit)


@fault("evals.items.emptied", breaks="evals.items.whole")
def items_are_emptied(ask: Ask, serve: Serve) -> Answer:
    """What came of an item does not tell the item."""
    return _item(ask, serve, lambda row: row.update(datasource_item={}) if "results" in row else None)


@fault("evals.items.numbers-alike", breaks="evals.items.whole")
def items_have_one_number(ask: Ask, serve: Serve) -> Answer:
    """Every item of a run has the number 0."""
    return _item(ask, serve, lambda row: row.update(datasource_item_id=0) if "results" in row else None)


@fault("evals.items.resultless", breaks="evals.items.results")
def items_have_no_results(ask: Ask, serve: Serve) -> Answer:
    """Items pass or fail without a result."""
    return _item(ask, serve, lambda row: row.update(results=[]) if "results" in row else None)


@fault("evals.items.scores-turned", breaks="evals.items.verdict")
def scores_are_turned(ask: Ask, serve: Serve) -> Answer:
    """An item that passes has a score of 0, one that fails of 1."""

    def edit(row: dict[str, Any]) -> None:
        for one in row.get("results", ()):
            one["score"] = 1 - one["score"]

    return _item(ask, serve, edit)


@fault("evals.items.unfiltered", breaks="evals.items.filter")
def items_are_not_filtered(ask: Ask, serve: Serve) -> Answer:
    """`status` has no effect: all items are listed."""
    plain = replace(ask, query=tuple((name, value) for name, value in ask.query if name != "status"))
    return serve(plain if _is(ask, ITEMS) else ask)


@fault("evals.items.read-anew", breaks="evals.items.get")
def items_are_read_anew(ask: Ask, serve: Serve) -> Answer:
    """What came of an item has another number when it is read by itself."""
    return _rows(f"{ITEMS}/[^/]+", ask, serve, lambda row: row.update(datasource_item_id=7))


@fault("evals.runs.kept", breaks="evals.runs.gone")
def runs_are_kept(ask: Ask, serve: Serve) -> Answer:
    """The deletion of a run says so, and the run stays."""
    if not _is(ask, f"{RUNS}/[^/]+", "DELETE"):
        return serve(ask)
    read = serve(replace(ask, method="GET"))
    told = {"object": "eval.run.deleted", "deleted": True, "run_id": ask.path.rpartition("/")[2]}
    return read.with_json(told) if read.status == 200 else read
