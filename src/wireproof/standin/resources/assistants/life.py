"""How the moves of a run come to pass: at their times, in the tables, whether anyone looks or not.

The plan of a leg is kept as a row, so that a run goes on after a restart; a deed carries it out, move by move.
"""

from __future__ import annotations

from wireproof.standin.resources.assistants.moves import ACTIVE, MESSAGES, RUNS, STEPS, Move, Score, cut_short, said_by
from wireproof.standin.serving import deed
from wireproof.standin.store import Row, Table
from wireproof.standin.world import World

PLANS = "run plans"
# Ours: how long a run waits for its turn, works beside what it writes, and takes to stop.
QUEUED_S, WORKS_S, STOPS_S = 0.2, 0.3, 0.2
# A reader of a stream may ask for the run as soon as it has the last event: state is a little ahead of what is told.
AHEAD_S = 0.02


def place(run: Row) -> str:
    """What deeds and plans know a run by."""
    return f"{run['thread_id']}/{run['id']}"


def table_of(world: World, kind: str, thread_id: str, run_id: str) -> Table:
    return world.table(kind, run_id if kind == STEPS else thread_id)


def active_run(world: World, thread_id: str) -> Row | None:
    """The one run that a thread can have at a time: if any, its newest."""
    runs = world.table(RUNS, thread_id).rows()
    return runs[-1] if runs and runs[-1]["status"] in ACTIVE else None


def set_going(world: World, run: Row, score: Score, began_s: float, *, is_told: bool) -> None:
    began_s -= AHEAD_S if is_told else 0.0
    plan = {"began": began_s, "next": 0, "moves": [move.json() for move in score.moves]}
    world.table(PLANS).put(place(run), plan)
    go_on(world, place(run), world.now)


@deed("runs.go_on")
def go_on(world: World, id: str, now: float) -> None:
    """Makes the moves that are due, and comes again for the next one."""
    plan = world.table(PLANS).get(id)
    if plan is None:
        return
    for at, move in enumerate(plan["moves"][plan["next"] :], plan["next"]):
        if move["delta"] is not None:
            continue
        due = plan["began"] + move["at_ms"] / 1000
        if due > now:
            world.table(PLANS).put(id, {**plan, "next": at})
            world.at(due, "runs.go_on", id)
            return
        make(world, id, move["kind"], move["id"], move["change"])
    world.table(PLANS).delete(id)


@deed("runs.expire")
def expire(world: World, id: str, now: float) -> None:
    _stop(world, id, "expired", now)


@deed("runs.cancel")
def cancelled(world: World, id: str, now: float) -> None:
    _stop(world, id, "cancelled", now)


def cancel(world: World, run: Row) -> Row:
    """Stops what is going on at once; the run itself is cancelled a little later."""
    halt(world, place(run), world.now)
    make(world, place(run), RUNS, run["id"], {"status": "cancelling"})
    world.at(world.now + world.lasts(STOPS_S), "runs.cancel", place(run))
    return {**run, "status": "cancelling"}


def make(world: World, id: str, kind: str, row_id: str, change: Row) -> None:
    """One change of one row. A row that a client has deleted in the meantime stays so."""
    table = table_of(world, kind, *id.split("/"))
    row = table.get(row_id)
    if row is not None or "object" in change:
        table.put(row_id, {**(row or {}), **change})


def halt(world: World, id: str, now: float) -> None:
    """Drops what is still planned. Messages that are being written keep what has been said."""
    plan = world.table(PLANS).get(id)
    if plan is None:
        return
    world.table(PLANS).delete(id)
    elapsed_ms = (now - plan["began"]) * 1000
    for message in world.table(MESSAGES, id.split("/")[0]).rows():
        if message["status"] == "in_progress":
            make(world, id, MESSAGES, message["id"], {"content": said_by(plan["moves"], message["id"], elapsed_ms)})


def _stop(world: World, id: str, status: str, now: float) -> None:
    thread_id, run_id = id.split("/")
    run = world.table(RUNS, thread_id).get(run_id)
    if run is None or run["status"] not in ACTIVE:
        return
    halt(world, id, now)
    score = Score(now)
    steps, messages = world.table(STEPS, run_id).rows(), world.table(MESSAGES, thread_id).rows()
    cut_short(score, run, steps, messages, status)
    for move in score.moves:
        made: Move = move
        make(world, id, made.kind, made.id, made.change)
