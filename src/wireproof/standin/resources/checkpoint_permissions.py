"""Which projects may use a checkpoint."""

from __future__ import annotations

from wireproof.standin import tuned
from wireproof.standin.call import Call
from wireproof.standin.paging import page, public
from wireproof.standin.serving import serves
from wireproof.standin.store import Table
from wireproof.standin.wire import Answer, json_answer
from wireproof.standin.world import World


@serves("createFineTuningCheckpointPermission")
def create(world: World, call: Call) -> Answer:
    """A project that has the permission already keeps the one it has."""
    table = _permissions(world, call)
    given = {row["project_id"]: row for row in table.rows()}
    asked = list(dict.fromkeys(call.body["project_ids"]))
    for project in asked:
        if project not in given:
            id = call.id("cp_")
            row = {"id": id, "object": "checkpoint.permission", "created_at": int(call.now), "project_id": project}
            table.put(id, row)
            given[project] = row
    rows = [given[project] for project in asked]
    ids = {"first_id": rows[0]["id"], "last_id": rows[-1]["id"]} if rows else {"first_id": None, "last_id": None}
    return json_answer({"object": "list", "data": [public(row) for row in rows], **ids, "has_more": False})


@serves("listFineTuningCheckpointPermissions")
def listed(world: World, call: Call) -> Answer:
    project = call.query.get("project_id")
    rows = [row for row in _permissions(world, call).rows() if project in (None, row["project_id"])]
    return page(rows if call.query["order"] == "ascending" else rows[::-1], call)


@serves("deleteFineTuningCheckpointPermission")
def delete(world: World, call: Call) -> Answer:
    table, id = _permissions(world, call), call.path["permission_id"]
    table.found(id, f"No such permission: {id}", "permission_id")
    table.delete(id)
    return json_answer({"id": id, "object": "checkpoint.permission", "deleted": True})


def _permissions(world: World, call: Call) -> Table:
    name = call.path["fine_tuned_model_checkpoint"]
    world.table(tuned.TABLE).found(name, f"No such checkpoint: {name}", "fine_tuned_model_checkpoint")
    return world.table("checkpoint_permissions", name)
