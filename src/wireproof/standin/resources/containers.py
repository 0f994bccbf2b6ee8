"""/v1/containers and their files. A container that is left alone expires, and lets nobody at its files again."""

from __future__ import annotations

import hashlib
from pathlib import PurePosixPath
from typing import Any

from wireproof.standin.call import Call, Upload
from wireproof.standin.paging import page, public
from wireproof.standin.refusals import invalid
from wireproof.standin.resources.files import KIND as KEPT
from wireproof.standin.resources.files import file_named
from wireproof.standin.serving import serves
from wireproof.standin.store import Row
from wireproof.standin.wire import Answer, json_answer
from wireproof.standin.world import World

CONTAINERS = "containers"
# The files of a container, which is their parent.
FILES = "containers.files"
DEFAULT_EXPIRY = {"anchor": "last_active_at", "minutes": 20}
FOLDER = PurePosixPath("/mnt/data")


@serves("createContainer")
def create(world: World, call: Call) -> Answer:
    body = call.body
    copied = [_file(world, id, "file_ids") for id in body.get("file_ids", ())]
    row = {
        "id": call.id("cntr_"),
        "object": "container",
        "name": body["name"],
        "created_at": int(call.now),
        "last_active_at": int(call.now),
        "expires_after": body.get("expires_after", DEFAULT_EXPIRY),
        "memory_limit": body.get("memory_limit", "1g"),
        "network_policy": _policy(body.get("network_policy")),
    }
    world.table(CONTAINERS).put(row["id"], row)
    for name, data in copied:
        put_file(world, row["id"], name, data)
    return json_answer(told(world, row))


@serves("listContainers")
def list_containers(world: World, call: Call) -> Answer:
    name = call.query.get("name")
    rows = [row for row in world.table(CONTAINERS).rows() if name in (None, row["name"])]
    return page(rows, call, shown=lambda row: told(world, row))


@serves("retrieveContainer")
def retrieve(world: World, call: Call) -> Answer:
    """Looking at a container keeps it alive, as every use of it does."""
    row = found(world, call.path["container_id"])
    return json_answer(told(world, row if is_expired(world, row) else active(world, row["id"])))


@serves("deleteContainer")
def delete(world: World, call: Call) -> Answer:
    id = found(world, call.path["container_id"])["id"]
    world.table(CONTAINERS).delete(id)
    world.table(FILES, id).clear()
    return json_answer({"id": id, "object": "container.deleted", "deleted": True})


@serves("listContainerFiles")
def list_files(world: World, call: Call) -> Answer:
    row = active(world, call.path["container_id"])
    return page(world.table(FILES, row["id"]).rows(), call)


@serves("createContainerFile")
def create_file(world: World, call: Call) -> Answer:
    row = active(world, call.path["container_id"])
    upload = call.body.get("file")
    name, data = (
        (upload.filename, upload.data) if isinstance(upload, Upload) else _file(world, call.body["file_id"], "file_id")
    )
    return json_answer(put_file(world, row["id"], name, data))


@serves("retrieveContainerFile")
def retrieve_file(world: World, call: Call) -> Answer:
    return json_answer(public(_content(world, call)))


@serves("deleteContainerFile")
def delete_file(world: World, call: Call) -> Answer:
    row = _content(world, call)
    world.table(FILES, row["container_id"]).delete(row["id"])
    return json_answer({"id": row["id"], "object": "container.file.deleted", "deleted": True})


@serves("retrieveContainerFileContent")
def content(world: World, call: Call) -> Answer:
    row = _content(world, call)
    data = world.table(FILES, row["container_id"]).data(row["id"])
    return Answer(200, (("content-type", "application/octet-stream"),), data)


def put_file(world: World, container_id: str, name: str, data: bytes, source: str = "user") -> Row:
    """A new file in a container that is active. What a user brings is told apart by a hash before its name."""
    id = world.id("cfile_")
    mark = hashlib.blake2b(id.encode(), digest_size=16).hexdigest() + "-" if source == "user" else ""
    row = {
        "id": id,
        "object": "container.file",
        "container_id": container_id,
        "created_at": int(world.now),
        "bytes": len(data),
        "path": str(FOLDER / f"{mark}{PurePosixPath(name).name or 'file'}"),
        "source": source,
    }
    world.table(FILES, container_id).put(id, row, data)
    return row


def told(world: World, row: Row) -> dict[str, Any]:
    """A container as it is answered."""
    return {**public(row), "status": "expired" if is_expired(world, row) else "running"}


def found(world: World, id: str) -> Row:
    """The container, or a 404."""
    return world.table(CONTAINERS).found(id, f"Container with id '{id}' not found.", "container_id")


def active(world: World, id: str) -> Row:
    """The container, in use from now on; refuses one that is unknown or has expired."""
    row = found(world, id)
    if is_expired(world, row):
        raise invalid("Container is expired.", "container_id")
    row = {**row, "last_active_at": int(world.now)}
    world.table(CONTAINERS).put(id, row)
    return row


def is_expired(world: World, row: Row) -> bool:
    return bool(world.now >= row["last_active_at"] + row["expires_after"]["minutes"] * 60)


def _content(world: World, call: Call) -> Row:
    row, id = active(world, call.path["container_id"]), call.path["file_id"]
    return world.table(FILES, row["id"]).found(id, f"Container file with id '{id}' not found.", "file_id")


def _file(world: World, id: str, param: str) -> tuple[str, bytes]:
    """Name and bytes of a File."""
    return file_named(world, id, param)["filename"], world.table(KEPT).data(id)


def _policy(asked: Any) -> dict[str, Any]:
    """What may be told of a network policy: no secrets."""
    if asked is None or asked["type"] == "disabled":
        return {"type": "disabled"}
    return {"type": "allowlist", "allowed_domains": asked["allowed_domains"]}
