"""Threads, and the messages in them. While a run is at work on a thread it takes no messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wireproof.standin.call import Call
from wireproof.standin.paging import page, public
from wireproof.standin.refusals import invalid
from wireproof.standin.resources.assistants.life import PLANS, active_run, place
from wireproof.standin.resources.assistants.moves import MESSAGES, RUNS, STEPS
from wireproof.standin.resources.assistants.rows import new_message
from wireproof.standin.resources.assistants.tool_resources import attached, check_files, resources
from wireproof.standin.serving import serves
from wireproof.standin.store import Row
from wireproof.standin.wire import Answer, json_answer
from wireproof.standin.world import World

KIND = "threads"


def thread_named(world: World, id: str) -> Row:
    return world.table(KIND).found(id, f"No thread found with id '{id}'.")


def message_named(world: World, thread_id: str, id: str) -> Row:
    return world.table(MESSAGES, thread_id).found(id, f"No message found with id '{id}'.")


def new_thread(world: World, call: Call, body: Mapping[str, Any]) -> Row:
    row: Row = {
        "id": call.id("thread_"),
        "object": "thread",
        "created_at": int(call.now),
        "metadata": body.get("metadata") or {},
        "tool_resources": resources(world, call, body.get("tool_resources")),
    }
    messages = body.get("messages") or ()
    for at, message in enumerate(messages):
        check_message(world, message, f"messages[{at}].")
    world.table(KIND).put(row["id"], row)
    for message in messages:
        add_message(world, call, row["id"], message)
    return thread_named(world, row["id"])


def check_message(world: World, body: Mapping[str, Any], where: str = "") -> None:
    parts: Sequence[Row] = () if isinstance(body["content"], str) else body["content"]
    pictures = [part["image_file"]["file_id"] for part in parts if part["type"] == "image_file"]
    check_files(world, pictures, f"{where}content")
    check_files(world, [one["file_id"] for one in body.get("attachments") or ()], f"{where}attachments")


def add_message(world: World, call: Call, thread_id: str, body: Mapping[str, Any]) -> Row:
    """A message of a client, checked before, at the end of the thread; its attachments are the thread's from now on."""
    attachments = body.get("attachments") or []
    if attachments:
        thread = thread_named(world, thread_id)
        held = attached(world, call, thread["tool_resources"], attachments)
        world.table(KIND).put(thread_id, {**thread, "tool_resources": held})
    row = new_message(call.id("msg_"), thread_id, body["role"], _content(body["content"]), int(call.now),
                      attachments=attachments, metadata=body.get("metadata") or {})  # fmt: skip
    world.table(MESSAGES, thread_id).put(row["id"], row)
    return row


def refuse_while_active(world: World, thread_id: str) -> None:
    run = active_run(world, thread_id)
    if run is not None:
        raise invalid(f"Can't add messages to {thread_id} while a run {run['id']} is active.")


@serves("createThread")
def create(world: World, call: Call) -> Answer:
    return json_answer(public(new_thread(world, call, call.body)))


@serves("getThread")
def get(world: World, call: Call) -> Answer:
    return json_answer(thread_named(world, call.path["thread_id"]))


@serves("modifyThread")
def modify(world: World, call: Call) -> Answer:
    row = thread_named(world, call.path["thread_id"])
    if "metadata" in call.body:
        row = {**row, "metadata": call.body["metadata"] or {}}
    if "tool_resources" in call.body:
        row = {**row, "tool_resources": resources(world, call, call.body["tool_resources"])}
    world.table(KIND).put(row["id"], row)
    return json_answer(row)


@serves("deleteThread")
def delete(world: World, call: Call) -> Answer:
    id = thread_named(world, call.path["thread_id"])["id"]
    for run in world.table(RUNS, id).rows():
        world.table(STEPS, run["id"]).clear()
        world.table(PLANS).delete(place(run))
    world.table(RUNS, id).clear()
    world.table(MESSAGES, id).clear()
    world.table(KIND).delete(id)
    return json_answer({"id": id, "object": "thread.deleted", "deleted": True})


@serves("createMessage")
def create_message(world: World, call: Call) -> Answer:
    thread_id = thread_named(world, call.path["thread_id"])["id"]
    refuse_while_active(world, thread_id)
    check_message(world, call.body)
    return json_answer(add_message(world, call, thread_id, call.body))


@serves("listMessages")
def list_messages(world: World, call: Call) -> Answer:
    thread_id, run_id = thread_named(world, call.path["thread_id"])["id"], call.query.get("run_id")
    return page([row for row in world.table(MESSAGES, thread_id).rows() if run_id in (None, row["run_id"])], call)


@serves("getMessage")
def get_message(world: World, call: Call) -> Answer:
    thread_id = thread_named(world, call.path["thread_id"])["id"]
    return json_answer(message_named(world, thread_id, call.path["message_id"]))


@serves("modifyMessage")
def modify_message(world: World, call: Call) -> Answer:
    thread_id = thread_named(world, call.path["thread_id"])["id"]
    row = message_named(world, thread_id, call.path["message_id"])
    if "metadata" in call.body:
        row = {**row, "metadata": call.body["metadata"] or {}}
        world.table(MESSAGES, thread_id).put(row["id"], row)
    return json_answer(row)


@serves("deleteMessage")
def delete_message(world: World, call: Call) -> Answer:
    thread_id = thread_named(world, call.path["thread_id"])["id"]
    id = message_named(world, thread_id, call.path["message_id"])["id"]
    world.table(MESSAGES, thread_id).delete(id)
    return json_answer({"id": id, "object": "thread.message.deleted", "deleted": True})


def _content(given: Any) -> list[Row]:
    """Text of a request is a string, text of a message carries its annotations."""
    parts = [{"type": "text", "text": given}] if isinstance(given, str) else given
    return [_part(part) for part in parts]


def _part(part: Mapping[str, Any]) -> Row:
    kind = part["type"]
    if kind == "text":
        return {"type": "text", "text": {"value": part["text"], "annotations": []}}
    return {"type": kind, kind: {"detail": "auto", **part[kind]}}
