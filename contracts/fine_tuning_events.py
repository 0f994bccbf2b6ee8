"""What happens to a job of fine-tuning: its events, and the models it kept on its way."""

from __future__ import annotations

from wireproof.clause import Exchange, NotApplicable, clause, expect, shown, steps

from ._life import asked_for, is_ok, rows_of, served
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
