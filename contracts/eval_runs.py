"""Runs of evals: counted item by item and criterion by criterion, and what came of each item told beside it."""

from __future__ import annotations

from typing import Any

from wireproof.clause import Exchange, Inconclusive, NotApplicable, answered, clause, expect, sequence, shown, steps

from ._evals import (
    BROKEN,
    CRITERION,
    ITEMS,
    KEPT,
    LIFE,
    RUN,
    RUN_LIST,
    RUNS,
    completed_run,
    items_listed,
    objects_told,
    run_asked,
    run_made,
    runs_told,
)
from ._life import asked_for, at_path, expect_gone, expect_moves, expect_now, expect_same, ids_of, rows_of, served
from ._reading import as_count, as_number, as_object, as_objects, as_text

ENDED = ("completed", "failed", "canceled")
PARTS = ("passed", "failed", "errored")


def _counts(run: dict[str, Any]) -> dict[str, int]:
    """`result_counts`, {} unless all four of them are numbers."""
    told = as_object(run.get("result_counts"))
    counts = {name: as_count(told.get(name)) for name in ("total", *PARTS)}
    return {name: count for name, count in counts.items() if count is not None} if None not in counts.values() else {}


# ------------------------------------------------------------------------------------------------ each run


@clause("evals.runs.echo", level="MUST", source="SPEC CreateEvalRunRequest, EvalRun", on=steps(LIFE))
def a_run_is_what_was_asked_for(exchanges: list[Exchange]) -> None:
    """A run has the `name`, `metadata` and kind of data source it was made with, and the id of its eval."""
    exchange = run_asked(exchanges)
    run = served(exchange, "a run over two items")
    wanted = {"name": RUN["name"], "metadata": RUN["metadata"], "eval_id": exchange.request.path.split("/")[2]}
    expect_same(exchange, run, wanted, *wanted)
    kind = as_object(run.get("data_source")).get("type")
    expect(kind == "jsonl", expected="type jsonl", got=shown(kind), at=f"{exchange.id} /data_source/type")


@clause("evals.runs.created", level="MUST", source="SPEC EvalRun.created_at: Unix timestamp in seconds", on=steps(LIFE))
def runs_are_created_now(exchanges: list[Exchange]) -> None:
    """`created_at` of a run and of what came of its items is of now, in whole seconds since 1970."""
    exchange, run = run_made(exchanges)
    expect_now(exchange, run.get("created_at"), "created_at")
    for listed in exchanges:
        if listed.operation in ITEMS:
            for at, row in objects_told(listed):
                if "created_at" in row:
                    expect_now(listed, row["created_at"], f"{at}/created_at".strip("/"))


@clause("evals.runs.moves", level="MUST", source="SPEC EvalRun.status", on=sequence(answered(*RUNS)))
def a_run_moves_forward(exchanges: list[Exchange]) -> None:
    """A run goes from queued over in_progress to completed, failed or canceled, and stays there."""
    seen: dict[str, list[tuple[Exchange, dict[str, Any]]]] = {}
    for exchange in exchanges:
        for _, run in objects_told(exchange):
            seen.setdefault(str(run.get("id")), []).append((exchange, run))
    told = [row for row in seen.values() if len(row) > 1]
    if not told:
        raise NotApplicable("no run was looked at twice")
    for row in told:
        expect_moves("EvalRun", row)


@clause("evals.runs.same", level="MUST", source="SPEC getEvalRun, listEvalRuns", on=steps(LIFE))
def a_run_reads_as_it_was_made(exchanges: list[Exchange]) -> None:
    """A run is read under its id, and listed, with what it was made with; what it counted at its end stays."""
    made, run = run_made(exchanges)
    path = f"{made.request.path}/{run.get('id')}"
    read = asked_for(exchanges, "getEvalRun", at_path(path))
    expect_same(read, served(read, "the run"), run, "id")
    told = runs_told(exchanges)
    ended = next((one for _, _, one in told if one.get("status") in ENDED), None)
    for exchange, _, one in told:
        expect_same(exchange, one, run, "object", "created_at", "eval_id", "name", "metadata", "model")
        if ended is not None and one.get("status") in ENDED:
            expect_same(exchange, one, ended, "status", "result_counts", "per_testing_criteria_results")


@clause("evals.runs.list", level="MUST", source="SPEC listEvalRuns", on=steps(LIFE))
def runs_are_listed(exchanges: list[Exchange]) -> None:
    """A run that was made is in the list of its eval."""
    _, run = run_made(exchanges)
    exchange = asked_for(exchanges, RUN_LIST)
    served(exchange, "the runs of the eval")
    ids = ids_of(exchange)
    expect(run.get("id") in ids, expected=f"{run.get('id')} in the list", got=shown(ids), at=f"{exchange.id} /data")


@clause("evals.runs.counts", level="MUST", source="SPEC EvalRun.result_counts", on=answered(*RUNS))
def counts_add_up(exchange: Exchange) -> None:
    """`passed`, `failed` and `errored` are the `total` of a run that was completed, and never more."""
    judged = False
    for at, run in objects_told(exchange):
        counts = _counts(run)
        if counts:
            judged, done = True, sum(counts[name] for name in PARTS)
            is_kept = done == counts["total"] if run.get("status") == "completed" else done <= counts["total"]
            expect(is_kept, expected=f"total {done}: all of {shown({name: counts[name] for name in PARTS})}",
                   got=counts["total"], at=f"{at}/result_counts/total")  # fmt: skip
    if not judged:
        raise NotApplicable("no run tells its counts")


@clause("evals.runs.criteria", level="MUST", source="SPEC EvalRun.per_testing_criteria_results", on=answered(*RUNS))
def criteria_are_counted(exchange: Exchange) -> None:
    """No criterion is passed and failed by more items than there are; a single one decides alone what passes."""
    judged = False
    for at, run in objects_told(exchange):
        counts, results = _counts(run), as_objects(run.get("per_testing_criteria_results"))
        if not counts or run.get("status") != "completed":
            continue
        for number, one in enumerate(results):
            passed, failed = as_count(one.get("passed")), as_count(one.get("failed"))
            if passed is None or failed is None:
                continue
            judged, place = True, f"{at}/per_testing_criteria_results/{number}"
            most = counts["total"]
            expect(passed + failed <= most, expected=f"at most {most} items", got=passed + failed, at=place)
            if len(results) == 1 and not counts["errored"]:
                expect(passed == counts["passed"], expected=f"passed {counts['passed']}", got=passed, at=place)
                expect(failed == counts["failed"], expected=f"failed {counts['failed']}", got=failed, at=place)
    if not judged:
        raise NotApplicable("no completed run tells of its criteria")


@clause("evals.runs.error", level="MUST", source="SPEC EvalRun.error: information about why it failed",
        on=answered(*RUNS))  # fmt: skip
def only_a_failure_has_an_error(exchange: Exchange) -> None:
    """A run that failed says why in its `error`; another one has none, null or an object that says nothing."""
    for at, run in objects_told(exchange):
        message = as_object(run.get("error")).get("message")
        is_failed = run.get("status") == "failed"
        if is_failed or run.get("status") in ("queued", "in_progress", "completed"):
            expected = "an error with a message" if is_failed else f"no error of a run that is {run['status']}"
            expect(bool(message) == is_failed, expected=expected, got=shown(run.get("error")), at=f"{at}/error")


@clause("evals.runs.usage", level="MUST", source="SPEC EvalRun.per_model_usage", on=answered(*RUNS))
def tokens_add_up(exchange: Exchange) -> None:
    """What each model was given and gave is its total; what came from a cache is part of what it was given."""
    judged = False
    for at, run in objects_told(exchange):
        for number, one in enumerate(as_objects(run.get("per_model_usage"))):
            names = ("prompt_tokens", "completion_tokens", "total_tokens", "cached_tokens")
            prompt, completion, total, cached = (as_count(one.get(name)) for name in names)
            place = f"{at}/per_model_usage/{number}"
            if prompt is None or completion is None or total is None:
                continue
            judged = True
            expect(total == prompt + completion, expected=f"total_tokens {prompt + completion}", got=total, at=place)
            expect((cached or 0) <= prompt, expected=f"at most {prompt} cached_tokens", got=shown(cached), at=place)
    if not judged:
        raise NotApplicable("no model was used")


# ------------------------------------------------------------------------------------------------ its end


@clause("evals.runs.verdict", level="MUST", source="SPEC GraderStringCheck, EvalRun.result_counts", on=steps(LIFE))
def each_item_is_judged(exchanges: list[Exchange]) -> None:
    """A run counts each item that it was given, passed by those alone that keep the criterion."""
    exchange, at, run = completed_run(exchanges)
    counts = _counts(run)
    if counts.get("errored"):
        raise Inconclusive(f"items could not be judged: {shown(counts)}")
    wanted = {"total": 2, "passed": 1, "failed": 1}
    for name, value in wanted.items():
        expect(counts.get(name) == value, expected=f"{name} {value}: one answer of two is the word", got=shown(counts),
               at=f"{exchange.id} {at}/result_counts/{name}")  # fmt: skip
    results = as_objects(run.get("per_testing_criteria_results"))
    expect(len(results) == 1, expected="results of one criterion", got=shown(results),
           at=f"{exchange.id} {at}/per_testing_criteria_results")  # fmt: skip


@clause("evals.items.whole", level="MUST", source="SPEC getEvalRunOutputItems, EvalRunOutputItem", on=steps(LIFE))
def every_item_comes_out_once(exchanges: list[Exchange]) -> None:
    """Each item of a run has its output: with the ids of run and eval, the item as it was given, and its own number."""
    _, _, run = completed_run(exchanges)
    listed = items_listed(exchanges)
    rows = rows_of(listed)
    given = sorted(shown(row.get("datasource_item")) for row in rows)
    wanted = sorted(map(shown, (KEPT, BROKEN)))
    expect(given == wanted, expected=f"the items {shown(wanted)}", got=shown(given), at=f"{listed.id} /data")
    numbers = [row.get("datasource_item_id") for row in rows]
    expect(len(set(map(shown, numbers))) == len(rows), expected="a datasource_item_id for each", got=shown(numbers),
           at=f"{listed.id} /data")  # fmt: skip
    for row in rows:
        expect_same(listed, row, {"run_id": run.get("id"), "eval_id": run.get("eval_id")}, "run_id", "eval_id")


@clause("evals.items.results", level="MUST", source="SPEC EvalRunOutputItem.results, status", on=answered(*ITEMS))
def a_status_is_that_of_the_results(exchange: Exchange) -> None:
    """An item has the status pass when all its results passed, fail when one did not; it has one result at least."""
    judged = False
    for at, row in objects_told(exchange):
        results, status = as_objects(row.get("results")), row.get("status")
        passed = [one.get("passed") for one in results]
        if status not in ("pass", "fail") or not all(isinstance(one, bool) for one in passed):
            continue
        judged = True
        expect(bool(results), expected="a result of each criterion", got="none", at=f"{at}/results")
        wanted = "pass" if all(passed) else "fail"
        expect(status == wanted, expected=f"status {wanted}: passed {shown(passed)}", got=status, at=f"{at}/status")
    if not judged:
        raise NotApplicable("no item passed or failed")


@clause("evals.items.verdict", level="MUST", source="SPEC GraderStringCheck, EvalRunOutputItem.results", on=steps(LIFE))
def an_item_passes_by_its_answer(exchanges: list[Exchange]) -> None:
    """The item whose answer is the word passes with a score of 1, the other one fails with 0, by the criterion."""
    completed_run(exchanges)
    listed = items_listed(exchanges)
    for at, row in enumerate(rows_of(listed)):
        item = row.get("datasource_item")
        if item not in (KEPT, BROKEN) or row.get("status") not in ("pass", "fail"):
            continue
        is_kept = item == KEPT
        for number, one in enumerate(as_objects(row.get("results"))):
            place = f"{listed.id} /data/{at}/results/{number}"
            name = as_text(one.get("name"))
            expect(one.get("passed") is is_kept, expected=f"passed {shown(is_kept)} for {shown(item)}",
                   got=shown(one.get("passed")), at=f"{place}/passed")  # fmt: skip
            expect(as_number(one.get("score")) == float(is_kept), expected=f"score {is_kept:d}",
                   got=shown(one.get("score")), at=f"{place}/score")  # fmt: skip
            expect(str(CRITERION["name"]) in name, expected=f"name {CRITERION['name']}", got=shown(name),
                   at=f"{place}/name")  # fmt: skip


@clause(
    "evals.items.filter", level="MUST", source="SPEC getEvalRunOutputItems.status", on=steps(LIFE), fields=("status",)
)
def items_are_filtered(exchanges: list[Exchange]) -> None:
    """`status: fail` lists the items that failed, all of them and no others."""
    completed_run(exchanges)
    whole, listed = items_listed(exchanges), items_listed(exchanges, status="fail")
    states = {row.get("status") for row in rows_of(whole)}
    if not states <= {"pass", "fail"}:
        raise NotApplicable(f"items are {shown(sorted(map(str, states)))}")
    wanted = [row.get("id") for row in rows_of(whole) if row.get("status") == "fail"]
    expect(ids_of(listed) == wanted, expected=f"{shown(wanted)}, which failed", got=shown(ids_of(listed)),
           at=f"{listed.id} /data")  # fmt: skip


@clause("evals.items.get", level="MUST", source="SPEC getEvalRunOutputItem", on=steps(LIFE))
def an_item_reads_as_it_is_listed(exchanges: list[Exchange]) -> None:
    """What came of an item is read as it is listed."""
    completed_run(exchanges)
    rows = {row.get("id"): row for row in rows_of(items_listed(exchanges))}
    exchange = asked_for(exchanges, "getEvalRunOutputItem")
    row = rows.get(exchange.request.path.rpartition("/")[2], {})
    names = ("id", "object", "run_id", "eval_id", "status", "datasource_item", "datasource_item_id", "results")
    expect_same(exchange, served(exchange, "what came of the item"), row, *names)


@clause("evals.runs.gone", level="MUST", source="SPEC deleteEvalRun, getEvalRun", on=steps(LIFE))
def a_deleted_run_is_gone(exchanges: list[Exchange]) -> None:
    """The deletion of a run is answered `deleted: true` and its id, where it tells them; then it is not found: 404."""
    _, run = run_made(exchanges)
    deletion = asked_for(exchanges, "deleteEvalRun")
    body = served(deletion, "a deletion")
    wanted = {"object": "eval.run.deleted", "deleted": True, "run_id": run.get("id")}
    expect_same(deletion, body, wanted, *(name for name in wanted if name in body))
    expect_gone(asked_for(exchanges, "getEvalRun", at_path(deletion.request.path), after=deletion))
