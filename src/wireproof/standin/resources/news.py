"""What a customer would be called about: lives that ended, calls that ring. Noticed where rows change, told to nobody
here; `World.news` collects it when somebody is to be called.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from wireproof.standin.serving import deed
from wireproof.standin.store import Row
from wireproof.standin.webhooks import News

if TYPE_CHECKING:
    from wireproof.standin.world import World

# By kind of row and status: the type of the event.
ENDS: Mapping[str, Mapping[str, str]] = {
    "batches": {status: f"batch.{status}" for status in ("completed", "failed", "expired", "cancelled")},
    "fine_tuning_jobs": {status: f"fine_tuning.job.{status}" for status in ("succeeded", "failed", "cancelled")},
    "eval_runs": {
        "completed": "eval.run.succeeded",
        "failed": "eval.run.failed",
        "canceled": "eval.run.canceled",
    },
}


def noticed(world: World, kind: str, before: Row | None, row: Row) -> None:
    """Called with every row that is put. A life is told of once, when its status changes."""
    if kind in ENDS:
        status = row.get("status", "")
        if status in ENDS[kind] and (before is None or before.get("status") != status):
            tell(world, ENDS[kind][status], {"id": row["id"]})
    elif kind == "realtime_calls" and row["status"] == "ringing":
        tell(world, "realtime.call.incoming", {"call_id": row["id"], "sip_headers": row["_sip_headers"]})
    elif kind == "responses" and row["response"]["background"]:
        if row.get("cancelled_at") is not None:
            if before is not None and before.get("cancelled_at") is None:
                tell(world, "response.cancelled", {"id": row["id"]})
        elif before is None:
            world.at(row["ends"], "news.response", row["id"])


@deed("news.response")
def response_ended(world: World, id: str, _now: float) -> None:
    """A background response is over; how, its row has known from the start."""
    row = world.table("responses").get(id)
    if row is not None and row.get("cancelled_at") is None:
        tell(world, f"response.{row['response']['status']}", {"id": id})


def tell(world: World, type: str, data: Mapping[str, object]) -> None:
    if world.news is not None:
        world.news.append(News(world.id("evt_"), int(world.now), type, dict(data)))
