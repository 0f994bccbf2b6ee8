"""What happens to a job of fine-tuning: its events, and the models it kept on its way."""

from __future__ import annotations

from typing import Any

from wireproof.clause import Exchange, NotApplicable, clause, expect, shown, steps

from ._life import asked_for, expect_same, is_ok, rows_of, served
from ._tuning import LIFE, ids_made, told_of


@clause("fine-tuning.events", level="MUST", source="SPEC listFineTuningEvents", on=steps(LIFE))
def a_job_has_events(exchanges: list[Exchange]) -> None:
    """What happened to a job is told in its events: one that was made some seconds ago has at least one."""
    ids = ids_made(exchanges)
    paths = [f"/fine_tuning/jobs/{id}/events" for id in ids]
    exchange = asked_for(exchanges, "listFineTuningEvents", lambda e: e.request.path in paths)
    served(exchange, "the events of the job")
    rows = rows_of(exchange)
    expect(bool(rows), expected="events of the job", got="none", at=f"{exchange.id} /data")
    ids = [shown(row.get("id")) for row in rows]
    expect(len(set(ids)) == len(ids), expected="an id for each event", got=shown(ids), at=f"{exchange.id} /data")


@clause("fine-tuning.events-kept", level="MUST", source="SPEC listFineTuningEvents; after: an id of the list",
        on=steps(LIFE))  # fmt: skip
def an_event_keeps_its_id(exchanges: list[Exchange]) -> None:
    """An event that is told again has the id that it had before: pages go on from it."""
    lists = [e for e in exchanges if e.operation == "listFineTuningEvents" and is_ok(e)]
    known: dict[tuple[str, str, str], set[str]] = {}
    judged = False
    for listed in lists:
        rows = [(_what(listed, row), shown(row.get("id"))) for row in rows_of(listed)]
        for at, (what, id) in enumerate(rows):
            before = known.get(what)
            judged = judged or before is not None
            expect(before is None or id in before, expected=f"{' or '.join(sorted(before or ()))}, as before", got=id,
                   at=f"{listed.id} /data/{at}/id")  # fmt: skip
        for what, id in rows:
            known.setdefault(what, set()).add(id)
    if not judged:
        raise NotApplicable("no event was told twice")


def _what(listed: Exchange, row: dict[str, Any]) -> tuple[str, str, str]:
    return listed.request.path, shown(row.get("created_at")), shown(row.get("message"))


@clause("fine-tuning.checkpoints", level="MUST", source="SPEC listFineTuningJobCheckpoints", on=steps(LIFE))
def checkpoints_are_of_their_job(exchanges: list[Exchange]) -> None:
    """The checkpoints of a job are listed with its id, and a job without examples has none."""
    ids_made(exchanges)
    exchange = asked_for(exchanges, "listFineTuningJobCheckpoints")
    if exchange.status == 404:
        raise NotApplicable("checkpoints are not served")
    served(exchange, "the checkpoints of the job")
    rows = rows_of(exchange)
    id = exchange.request.path.split("/")[3]
    for row in rows:
        expect_same(exchange, row, {"fine_tuning_job_id": id}, "fine_tuning_job_id")
    states = [job.get("status") for _, job in told_of(exchanges, id)]
    if "failed" in states:
        expect(not rows, expected="no checkpoint of a job without examples", got=len(rows), at=f"{exchange.id} /data")


@clause("fine-tuning.events-failure", level="SHOULD", source="SPEC FineTuningJobEvent.level", on=steps(LIFE))
def a_failure_is_an_event(exchanges: list[Exchange]) -> None:
    """The failure of a job is one of its events, of the level error or warn."""
    listed = asked_for(exchanges, "listFineTuningEvents", is_ok)
    id = listed.request.path.split("/")[3]
    states = [job.get("status") for e, job in told_of(exchanges, id) if e.step < listed.step]
    if "failed" not in states:
        raise NotApplicable("the job had not failed when its events were asked for")
    levels = [row.get("level") for row in rows_of(listed)]
    expect(bool({"error", "warn"} & {str(level) for level in levels}), expected="an event of the level error",
           got=shown(levels), at=f"{listed.id} /data")  # fmt: skip
