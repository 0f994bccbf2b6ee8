"""What an eval is made of, and reading its runs and what came of their items, wherever they are told of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from wireproof.clause import Exchange, NotApplicable

from ._life import asked_for, first_made, id_of, is_ok, rows_of, served
from ._reading import maybe_object

LIFE = "evals.life"
CRITERION = {
    "type": "string_check",
    "name": "wireproof",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.word }}",
    "operation": "eq",
}
WORD = {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]}
ASKED: dict[str, Any] = {
    "name": "wireproof",
    "metadata": {"stage": "made"},
    "data_source_config": {"type": "custom", "item_schema": WORD, "include_sample_schema": True},
    "testing_criteria": [CRITERION],
}
CHANGED: dict[str, Any] = {"name": "wireproof renamed", "metadata": {"stage": "changed"}}
# One item that keeps the criterion and one that does not. The answers are given: no model is asked for any.
KEPT, BROKEN = {"word": "lamp"}, {"word": "river"}
RUN: dict[str, Any] = {
    "name": "wireproof run",
    "metadata": {"stage": "run"},
    "data_source": {
        "type": "jsonl",
        "source": {
            "type": "file_content",
            "content": [
                {"item": KEPT, "sample": {"output_text": "lamp"}},
                {"item": BROKEN, "sample": {"output_text": "lake"}},
            ],
        },
    },
}
RUN_LIST, ITEM_LIST = "getEvalRuns", "getEvalRunOutputItems"
RUNS = ("createEvalRun", "getEvalRun", "cancelEvalRun", RUN_LIST)
ITEMS = ("getEvalRunOutputItem", ITEM_LIST)


def objects_told(exchange: Exchange) -> Iterator[tuple[str, dict[str, Any]]]:
    """`(pointer, object)` of what an answer tells of: the rows of a list, or the one thing."""
    if exchange.operation in (RUN_LIST, ITEM_LIST):
        for at, row in enumerate(rows_of(exchange)):
            yield f"/data/{at}", row
    else:
        yield "", maybe_object(exchange)


def eval_made(exchanges: Sequence[Exchange]) -> tuple[Exchange, dict[str, Any]]:
    """The eval as it was made. NotApplicable where there are none."""
    body = first_made(exchanges, "createEval", "eval")
    return next(e for e in exchanges if e.operation == "createEval" and is_ok(e)), body


def run_asked(exchanges: Sequence[Exchange]) -> Exchange:
    """The making of the run, whatever came of it. NotApplicable where runs are not served at all."""
    eval_made(exchanges)
    exchange = asked_for(exchanges, "createEvalRun")
    if exchange.status == 404:
        raise NotApplicable("runs of evals are not served")
    return exchange


def run_made(exchanges: Sequence[Exchange]) -> tuple[Exchange, dict[str, Any]]:
    """The run as it was made. NotApplicable when it was refused, which is for one clause to judge."""
    exchange = run_asked(exchanges)
    if not is_ok(exchange):
        raise NotApplicable(
            f"no run was made: evals.runs.echo judges that {exchange.id} was answered {exchange.status}"
        )
    return exchange, maybe_object(exchange)


def runs_told(exchanges: Sequence[Exchange]) -> list[tuple[Exchange, str, dict[str, Any]]]:
    """`(exchange, pointer, run)` of all that was told of the run, in order of time."""
    id = id_of(run_made(exchanges)[0])
    told = [(e, at, run) for e in exchanges if e.operation in RUNS and is_ok(e) for at, run in objects_told(e)]
    return [row for row in told if row[2].get("id") == id]


def completed_run(exchanges: Sequence[Exchange]) -> tuple[Exchange, str, dict[str, Any]]:
    """The run as it was told first at its end. NotApplicable when it took longer, or came to another end."""
    told = runs_told(exchanges)
    for row in told:
        if row[2].get("status") == "completed":
            return row
    raise NotApplicable(f"the run is {told[-1][2].get('status') if told else 'not told of'}")


def items_listed(exchanges: Sequence[Exchange], **query: str) -> Exchange:
    """The list of what came of the items, asked for with this query."""
    exchange = asked_for(exchanges, ITEM_LIST, lambda e: dict(e.request.query) == query)
    served(exchange, "what came of each item")
    return exchange
