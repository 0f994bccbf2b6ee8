"""Threads and the messages in them: kept word for word, in their order, until they are deleted.

One flow makes a thread of three messages; nothing is generated. What runs add to a thread is judged in runs.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wireproof.clause import NO_MODEL, Exchange, Flow, NotApplicable, answered, clause, expect, flow, shown, steps

from ._life import (
    asked_for,
    at_path,
    expect_gone,
    expect_now,
    expect_same,
    expect_schema,
    first_made,
    id_of,
    is_ok,
    rows_of,
    served,
)
from ._reading import maybe_object
from ._threads import asks, texts_of

LIFE = "threads.life"
# Line ends, and letters of one to four bytes.
FIRST = "The first.\nL\u00e4nge \u20ac \U0001f98a"
REPLY, SECOND = "A reply.", "The second."
LABELS, NEW_LABELS = {"stage": "made"}, {"stage": "changed"}
APART_S = 1.1


@flow(LIFE, most=10, needs=NO_MODEL, about="a thread of three messages: read, list, change and delete them",
      expects="either")  # fmt: skip
def life_of_a_thread() -> Flow:
    reply = {"role": "assistant", "content": REPLY, "metadata": LABELS}
    made = {"metadata": LABELS, "messages": [{"role": "user", "content": FIRST}, reply]}
    id = id_of((yield asks("POST", "/threads", made)))
    if id is None:
        return
    path = f"/threads/{id}"
    more = {"role": "user", "content": SECOND, "metadata": LABELS}
    message = id_of((yield asks("POST", f"{path}/messages", more, after_s=APART_S)))
    yield asks("GET", f"{path}/messages", limit="5")
    yield asks("POST", path, {"metadata": NEW_LABELS})
    yield asks("GET", path)
    if message is not None:
        yield asks("GET", f"{path}/messages/{message}")
        yield asks("DELETE", f"{path}/messages/{message}")
        yield asks("GET", f"{path}/messages/{message}")
    yield asks("DELETE", path)
    yield asks("GET", path)


# ------------------------------------------------------------------------------------------------ reading


def _thread(exchanges: Sequence[Exchange]) -> tuple[Exchange, dict[str, Any]]:
    """The thread as it was made. NotApplicable where there are none."""
    body = first_made(exchanges, "createThread", "thread")
    return next(e for e in exchanges if e.operation == "createThread" and is_ok(e)), body


def _message(exchanges: Sequence[Exchange]) -> tuple[Exchange, dict[str, Any]]:
    """The message that was added."""
    _thread(exchanges)
    exchange = asked_for(exchanges, "createMessage")
    return exchange, served(exchange, "a message of the thread")


# ------------------------------------------------------------------------------------------------ the thread


@clause(
    "threads.schema",
    level="MUST",
    source="SPEC ThreadObject, MessageObject, ListMessagesResponse",
    on=answered(
        "createThread", "getThread", "modifyThread", "deleteThread",
        "createMessage", "getMessage", "modifyMessage", "listMessages", "deleteMessage",
    ),
)  # fmt: skip
def answers_follow_the_schema(exchange: Exchange) -> None:
    """Threads, messages, their lists and deletions are the documented objects."""
    expect_schema(exchange, "/first_id", "/last_id", "/deleted", "/tool_resources")


@clause("threads.echo", level="MUST", source="SPEC CreateThreadRequest.metadata", on=steps(LIFE), fields=("metadata",))
def a_thread_is_what_was_asked_for(exchanges: list[Exchange]) -> None:
    """A thread has the `metadata` that it was made with."""
    exchange, body = _thread(exchanges)
    expect_same(exchange, body, {"metadata": LABELS}, "metadata")


@clause("threads.times", level="MUST", source="SPEC ThreadObject.created_at: Unix timestamp", on=steps(LIFE))
def threads_and_messages_are_made_now(exchanges: list[Exchange]) -> None:
    """A thread and its messages were created now, in whole seconds since 1970."""
    exchange, body = _thread(exchanges)
    expect_now(exchange, body.get("created_at"), "created_at")
    for one in exchanges:
        if one.operation == "createMessage" and is_ok(one):
            expect_now(one, maybe_object(one).get("created_at"), "created_at")


@clause("threads.update", level="MUST", source="SPEC modifyThread", on=steps(LIFE), fields=("metadata",))
def a_change_takes_effect(exchanges: list[Exchange]) -> None:
    """A thread that is given other `metadata` has it, in the answer and when it is read again."""
    _, made = _thread(exchanges)
    change = asked_for(exchanges, "modifyThread", at_path(f"/threads/{made.get('id')}"))
    expect_same(change, served(change, "the changed thread"), {"metadata": NEW_LABELS}, "metadata")
    read = asked_for(exchanges, "getThread", at_path(change.request.path), after=change)
    expect_same(read, served(read, "the changed thread"), {"metadata": NEW_LABELS}, "metadata")


@clause("threads.get", level="MUST", source="SPEC getThread", on=steps(LIFE))
def a_thread_reads_as_it_was_made(exchanges: list[Exchange]) -> None:
    """A thread is read with the id and the time it was made with."""
    _, made = _thread(exchanges)
    exchange = asked_for(exchanges, "getThread", at_path(f"/threads/{made.get('id')}"))
    expect_same(exchange, served(exchange, "the thread"), made, "id", "object", "created_at")


# ------------------------------------------------------------------------------------------------ its messages


@clause("threads.message", level="MUST", source="SPEC CreateMessageRequest, MessageObject", on=steps(LIFE))
def a_message_is_what_was_said(exchanges: list[Exchange]) -> None:
    """A message has the role, text and metadata it was made with, the id of its thread, and no run."""
    _, thread = _thread(exchanges)
    exchange, body = _message(exchanges)
    wanted = {"role": "user", "metadata": LABELS, "thread_id": thread.get("id"), "run_id": None, "assistant_id": None}
    expect_same(exchange, body, wanted, *wanted)
    status = body.get("status")
    expect(status in (None, "completed"), expected="status completed, or none", got=shown(status),
           at=f"{exchange.id} /status")  # fmt: skip
    texts = texts_of(body)
    expect(list(texts.values()) == [SECOND], expected=f"the text {SECOND!r}", got=shown(body.get("content")),
           at=f"{exchange.id} /content")  # fmt: skip


@clause(
    "threads.messages",
    level="MUST",
    source="SPEC CreateThreadRequest.messages, listMessages",
    on=steps(LIFE),
    fields=("messages",),
)
def messages_are_listed(exchanges: list[Exchange]) -> None:
    """The messages of a thread are in its list, the newest first, word for word, those it was made with as well.

    Each has the role it was said in, and its own labels.
    """
    _, thread = _thread(exchanges)
    _message(exchanges)
    exchange = asked_for(exchanges, "listMessages", at_path(f"/threads/{thread.get('id')}/messages"))
    served(exchange, "the messages of the thread")
    rows = rows_of(exchange)
    said = [" ".join(texts_of(row).values()) for row in rows]
    wanted = [SECOND, REPLY, FIRST]
    expect(said == wanted, expected=shown(wanted), got=shown(said), at=f"{exchange.id} /data")
    roles = [row.get("role") for row in rows]
    expect(roles == ["user", "assistant", "user"], expected="user, assistant, user", got=shown(roles),
           at=f"{exchange.id} /data")  # fmt: skip
    labels = [row.get("metadata") or {} for row in rows]
    expect(labels == [LABELS, LABELS, {}], expected=f"metadata {shown(LABELS)} of the second and the third",
           got=shown(labels), at=f"{exchange.id} /data")  # fmt: skip


@clause("threads.message-get", level="MUST", source="SPEC getMessage", on=steps(LIFE))
def a_message_reads_as_it_was_made(exchanges: list[Exchange]) -> None:
    """A message is read with the fields it was made with."""
    made_by, made = _message(exchanges)
    exchange = asked_for(exchanges, "getMessage", at_path(f"{made_by.request.path}/{made.get('id')}"))
    names = ("id", "object", "created_at", "thread_id", "role", "content", "metadata")
    expect_same(exchange, served(exchange, "the message"), made, *names)


@clause("threads.message-gone", level="MUST", source="SPEC deleteMessage, DeleteMessageResponse", on=steps(LIFE))
def a_deleted_message_is_gone(exchanges: list[Exchange]) -> None:
    """The deletion of a message is answered `deleted: true` with its id, and it is not found any more: 404."""
    _, made = _message(exchanges)
    deletion = asked_for(exchanges, "deleteMessage")
    expect_same(deletion, served(deletion, "a deletion"), {"id": made.get("id"), "deleted": True}, "id", "deleted")
    expect_gone(asked_for(exchanges, "getMessage", at_path(deletion.request.path), after=deletion))


# ------------------------------------------------------------------------------------------------ its end


@clause("threads.delete", level="MUST", source="SPEC DeleteThreadResponse", on=steps(LIFE))
def a_deletion_says_so(exchanges: list[Exchange]) -> None:
    """A deletion is answered `{id, object: "thread.deleted", deleted: true}` with the id that was deleted."""
    _, made = _thread(exchanges)
    exchange = asked_for(exchanges, "deleteThread")
    expect_same(exchange, served(exchange, "a deletion"), {"id": made.get("id"), "deleted": True}, "id", "deleted")


@clause("threads.gone", level="MUST", source="SPEC deleteThread, getThread", on=steps(LIFE))
def a_deleted_thread_is_gone(exchanges: list[Exchange]) -> None:
    """A deleted thread is not found: 404."""
    _thread(exchanges)
    deletion = asked_for(exchanges, "deleteThread")
    if not is_ok(deletion):
        raise NotApplicable(f"nothing was deleted: {deletion.id} was answered {deletion.status}")
    expect_gone(asked_for(exchanges, "getThread", at_path(deletion.request.path), after=deletion))
