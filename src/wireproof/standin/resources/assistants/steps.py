"""The steps of a run, and how they are shown: what a search found in full only to those who ask to include it."""

from __future__ import annotations

from wireproof.standin.call import Call
from wireproof.standin.paging import page, public
from wireproof.standin.resources.assistants.moves import RUNS, STEPS
from wireproof.standin.resources.assistants.threads import thread_named
from wireproof.standin.serving import serves
from wireproof.standin.store import Row, Table
from wireproof.standin.wire import Answer, json_answer
from wireproof.standin.world import World

CONTENT = "step_details.tool_calls[*].file_search.results[*].content"


def includes_content(call: Call) -> bool:
    return CONTENT in (call.query.get("include[]") or ())


def shown_step(row: Row, *, with_content: bool) -> Row:
    row = public(row)
    if with_content or row["type"] != "tool_calls":
        return row
    calls = [_without_content(call) for call in row["step_details"]["tool_calls"]]
    return {**row, "step_details": {"type": "tool_calls", "tool_calls": calls}}


@serves("listRunSteps")
def listed(world: World, call: Call) -> Answer:
    with_content = includes_content(call)
    return page(_steps(world, call).rows(), call, shown=lambda row: shown_step(row, with_content=with_content))


@serves("getRunStep")
def get(world: World, call: Call) -> Answer:
    id = call.path["step_id"]
    row = _steps(world, call).found(id, f"No run step found with id '{id}'.")
    return json_answer(shown_step(row, with_content=includes_content(call)))


def _steps(world: World, call: Call) -> Table:
    thread_id, run_id = thread_named(world, call.path["thread_id"])["id"], call.path["run_id"]
    run = world.table(RUNS, thread_id).found(run_id, f"No run found with id '{run_id}'.")
    return world.table(STEPS, run["id"])


def _without_content(call: Row) -> Row:
    if call["type"] != "file_search":
        return call
    results = [
        {name: value for name, value in result.items() if name != "content"}
        for result in call["file_search"].get("results", ())
    ]
    return {**call, "file_search": {**call["file_search"], "results": results}}
