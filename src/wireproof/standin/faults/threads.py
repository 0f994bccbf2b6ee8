"""Departures of threads and their messages: words lost, changes without effect, deletions that do not delete."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import edit_json
from wireproof.standin.wire import Answer, Ask, Serve

# What a request is about, by the pattern of its path below /v1/threads.
ANY, ONE, MESSAGES, MESSAGE = "(/thread_[^/]+)?", "/thread_[^/]+", "/[^/]+/messages", "/[^/]+/messages/[^/]+"

Edit = Callable[[dict[str, Any]], Any]


def _is(ask: Ask, where: str, *methods: str) -> bool:
    is_meant = re.fullmatch(f"/v1/threads({where})", ask.path) is not None
    return is_meant and (not methods or ask.method in methods)


def _rows(where: str, ask: Ask, serve: Serve, edit: Edit, *methods: str) -> Answer:
    """`edit` on every thread, or every message, alone and in lists."""

    def every(body: dict[str, Any]) -> None:
        for row in body.get("data", [body]):
            edit(row)

    answer = serve(ask)
    return edit_json(answer, every) if _is(ask, where, *(methods or ("GET", "POST"))) else answer


def _thread(ask: Ask, serve: Serve, edit: Edit) -> Answer:
    return _rows(ANY, ask, serve, edit)


def _message(ask: Ask, serve: Serve, edit: Edit) -> Answer:
    return _rows(f"{MESSAGES}|{MESSAGE}", ask, serve, edit)


def _kept(ask: Ask, serve: Serve, where: str, kind: str) -> Answer:
    """A deletion that says yes, and keeps what it is of."""
    if not _is(ask, where, "DELETE"):
        return serve(ask)
    kept = serve(replace(ask, method="GET"))
    return edit_json(kept, lambda row: {"id": row["id"], "object": kind, "deleted": True})


@fault(
    "threads.message-untyped",
    breaks="threads.schema",
    also=(
        "threads.messages",
        "runs.message",
        "runs.stream.kept",
        "runs.additional",
    ),
)
def content_is_plain_text(ask: Ask, serve: Serve) -> Answer:
    """In lists, the `content` of a message is a string."""
    return _rows(MESSAGES, ask, serve, lambda row: row.update(content=row["content"][0]["text"]["value"]), "GET")


@fault("threads.metadata-lost", breaks="threads.echo", also=("threads.update",))
def labels_are_lost(ask: Ask, serve: Serve) -> Answer:
    """`metadata` of a thread is always empty."""
    return _thread(ask, serve, lambda row: row.update(metadata={}))


@fault("threads.object-new", breaks="threads.schema")
def threads_are_conversations(ask: Ask, serve: Serve) -> Answer:
    """A thread has `object: "conversation"`."""
    return _thread(ask, serve, lambda row: row.update(object="conversation"))


@fault("threads.metadata-untold", breaks="threads.echo")
def labels_are_untold(ask: Ask, serve: Serve) -> Answer:
    """`metadata` is empty in the answer that makes a thread, and kept all the same."""
    return _rows("", ask, serve, lambda row: row.update(metadata={}))


@fault("threads.created-ms", breaks="threads.times")
def created_in_milliseconds(ask: Ask, serve: Serve) -> Answer:
    """`created_at` of a message is in milliseconds."""
    return _message(ask, serve, lambda row: row.update(created_at=row["created_at"] * 1000))


@fault("threads.update-forgotten", breaks="threads.update")
def changes_are_forgotten(ask: Ask, serve: Serve) -> Answer:
    """A change is answered as if it had been made, and is not."""
    if not _is(ask, ONE, "POST"):
        return serve(ask)
    kept = serve(replace(ask, method="GET", body=b""))
    return edit_json(kept, lambda row: row | {"metadata": ask.asked.get("metadata")})


@fault("threads.read-anew", breaks="threads.get")
def reading_makes_anew(ask: Ask, serve: Serve) -> Answer:
    """A thread that is read was created a minute later than its making says."""
    return _rows(ONE, ask, serve, lambda row: row.update(created_at=row["created_at"] + 60), "GET")


@fault("threads.words-lost", breaks="threads.message", also=("threads.message-get",))
def words_are_lost(ask: Ask, serve: Serve) -> Answer:
    """A message that is made is answered without its content."""
    return _rows(MESSAGES, ask, serve, lambda row: row.update(content=[]), "POST")


@fault("threads.role-assistant", breaks="threads.message", also=("threads.message-get",))
def everyone_is_the_assistant(ask: Ask, serve: Serve) -> Answer:
    """A message that is made is the assistant's."""
    return _rows(MESSAGES, ask, serve, lambda row: row.update(role="assistant"), "POST")


@fault("threads.run-invented", breaks="threads.message")
def messages_name_a_run(ask: Ask, serve: Serve) -> Answer:
    """A message of a user is answered with the id of a run."""
    return _rows(MESSAGES, ask, serve, lambda row: row.update(run_id="run_0"), "POST")


@fault("threads.first-messages-lost", breaks="threads.messages")
def first_messages_are_lost(ask: Ask, serve: Serve) -> Answer:
    """The messages that a thread is made with are not kept."""
    return serve(ask.without("messages") if _is(ask, "", "POST") else ask)


@fault("threads.message-anew", breaks="threads.message-get")
def messages_are_read_anew(ask: Ask, serve: Serve) -> Answer:
    """A message that is read has lost its metadata."""
    return _rows(MESSAGE, ask, serve, lambda row: row.update(metadata={}), "GET")


@fault("threads.message-undead", breaks="threads.message-gone")
def deleted_messages_stay(ask: Ask, serve: Serve) -> Answer:
    """The deletion of a message says yes and keeps it."""
    return _kept(ask, serve, MESSAGE, "thread.message.deleted")


@fault("threads.deletion-unsaid", breaks="threads.delete")
def deletions_are_not_said(ask: Ask, serve: Serve) -> Answer:
    """The deletion of a thread is answered without `deleted`."""
    return _rows(ONE, ask, serve, lambda row: row.pop("deleted"), "DELETE")


@fault("threads.undead", breaks="threads.gone")
def deleted_threads_stay(ask: Ask, serve: Serve) -> Answer:
    """The deletion of a thread says yes and keeps it."""
    return _kept(ask, serve, ONE, "thread.deleted")
