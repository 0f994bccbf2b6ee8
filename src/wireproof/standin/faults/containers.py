"""Departures of containers: files that are changed on the way in or out, deletions that do not delete."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import edit_json
from wireproof.standin.wire import Answer, Ask, Query, Serve

# What a request is about, by the pattern of its path below /v1/containers.
ANY, ONE, FILES, FILE, CONTENT = "(/[^/]+)?", "/[^/]+", "/[^/]+/files", "/[^/]+/files/[^/]+", "/[^/]+/files/.+/content"

Edit = Callable[[dict[str, Any]], Any]


def _is(ask: Ask, where: str, *methods: str) -> bool:
    is_meant = re.fullmatch(f"/v1/containers{where}", ask.path) is not None
    return is_meant and (not methods or ask.method in methods)


def _edited(where: str, ask: Ask, serve: Serve, edit: Edit, *methods: str) -> Answer:
    answer = serve(ask)
    return edit_json(answer, edit) if _is(ask, where, *methods) else answer


def _rows(where: str, ask: Ask, serve: Serve, edit: Edit) -> Answer:
    """`edit` on every container, or every file of one, alone and in lists."""

    def every(body: dict[str, Any]) -> None:
        for row in body.get("data", [body]):
            edit(row)

    return _edited(where, ask, serve, every, "GET", "POST")


def _container(ask: Ask, serve: Serve, edit: Edit) -> Answer:
    return _rows(ANY, ask, serve, edit)


def _file(ask: Ask, serve: Serve, edit: Edit) -> Answer:
    return _rows(f"{FILES}|/v1/containers{FILE}", ask, serve, edit)


@fault("containers.status-missing", breaks="containers.schema")
def the_state_is_missing(ask: Ask, serve: Serve) -> Answer:
    """A container has no `status`."""
    return _container(ask, serve, lambda row: row.pop("status"))


@fault("containers.file-object-file", breaks="containers.schema")
def a_file_is_a_file(ask: Ask, serve: Serve) -> Answer:
    """A file of a container has `object: "file"`."""
    return _file(ask, serve, lambda row: row.update(object="file"))


@fault("containers.object-session", breaks="containers.object")
def a_container_is_a_session(ask: Ask, serve: Serve) -> Answer:
    """A container has `object: "session"`."""
    return _container(ask, serve, lambda row: row.update(object="session"))


@fault("containers.name-lost", breaks="containers.echo")
def the_name_is_lost(ask: Ask, serve: Serve) -> Answer:
    """Every container is called container."""
    return _container(ask, serve, lambda row: row.update(name="container"))


@fault("containers.expiry-ignored", breaks="containers.echo")
def expiry_is_ignored(ask: Ask, serve: Serve) -> Answer:
    """`expires_after` has no effect: it is always 20 minutes."""
    return _container(ask, serve, lambda row: row["expires_after"].update(minutes=20))


@fault("containers.created-ms", breaks="containers.times")
def created_in_milliseconds(ask: Ask, serve: Serve) -> Answer:
    """`created_at` is in milliseconds."""
    return _container(ask, serve, lambda row: row.update(created_at=row["created_at"] * 1000))


@fault("containers.expired-at-once", breaks="containers.running")
def a_container_is_over_at_once(ask: Ask, serve: Serve) -> Answer:
    """A container is expired when it is looked at."""
    return _edited(ONE, ask, serve, lambda row: row | {"status": "expired"}, "GET")


@fault("containers.read-anew", breaks="containers.get")
def reading_makes_anew(ask: Ask, serve: Serve) -> Answer:
    """A container that is read was created a minute later than its making says."""
    return _edited(ONE, ask, serve, lambda row: row | {"created_at": row["created_at"] + 60}, "GET")


@fault("containers.unlisted", breaks="containers.list")
def containers_are_not_listed(ask: Ask, serve: Serve) -> Answer:
    """The list of containers is empty."""
    nothing: dict[str, Any] = {"data": [], "first_id": None, "last_id": None, "has_more": False}
    return _edited("", ask, serve, lambda body: body | nothing, "GET")


@fault("containers.file-homeless", breaks="containers.file")
def files_name_another_container(ask: Ask, serve: Serve) -> Answer:
    """The `container_id` of a file is its own id."""
    return _file(ask, serve, lambda row: row.update(container_id=row["id"]))


@fault("containers.bytes-zero", breaks="containers.bytes")
def bytes_are_zero(ask: Ask, serve: Serve) -> Answer:
    """`bytes` of a file is 0."""
    return _file(ask, serve, lambda row: row.update(bytes=0))


@fault("containers.path-hidden", breaks="containers.path")
def the_path_is_the_id(ask: Ask, serve: Serve) -> Answer:
    """The `path` of a file ends in its id."""
    return _file(ask, serve, lambda row: row.update(path=f"/mnt/data/{row['id']}"))


@fault("containers.source-assistant", breaks="containers.source")
def everything_is_the_assistants(ask: Ask, serve: Serve) -> Answer:
    """Every file has the `source` assistant."""
    return _file(ask, serve, lambda row: row.update(source="assistant"))


@fault("containers.text-only", breaks="containers.content")
def content_is_text(ask: Ask, serve: Serve) -> Answer:
    """Content is read as UTF-8, and what is none is replaced."""
    answer = serve(ask)
    if not _is(ask, CONTENT) or answer.status != 200:
        return answer
    return replace(answer, body=answer.body.decode("utf-8", "replace").encode())


@fault("containers.last-file-alone", breaks="containers.files-list", also=("paging.*",))
def one_file_is_listed(ask: Ask, serve: Serve) -> Answer:
    """The list of files has the newest alone."""

    def edit(body: dict[str, Any]) -> None:
        body["data"] = body["data"][:1]
        body["last_id"] = body["first_id"]

    return _edited(FILES, ask, serve, edit, "GET")


@fault("containers.file-undead", breaks="containers.file-gone")
def deleted_files_stay(ask: Ask, serve: Serve) -> Answer:
    """The deletion of a file says yes and keeps it."""
    if not _is(ask, FILE, "DELETE"):
        return serve(ask)
    kept = serve(replace(ask, method="GET"))
    return edit_json(kept, lambda row: {"id": row["id"], "object": "container.file.deleted", "deleted": True})


@fault("containers.deletion-unsure", breaks="containers.delete")
def deletions_say_no(ask: Ask, serve: Serve) -> Answer:
    """A deletion that succeeds is answered `deleted: false`."""
    return _edited(ONE, ask, serve, lambda body: body | {"deleted": False}, "DELETE")


@fault("containers.undead", breaks="containers.gone")
def deleted_containers_stay(ask: Ask, serve: Serve) -> Answer:
    """The deletion of a container says yes and keeps it."""
    if not _is(ask, ONE, "DELETE"):
        return serve(ask)
    kept = serve(replace(ask, method="GET"))
    return edit_json(kept, lambda row: {"id": row["id"], "object": "container.deleted", "deleted": True})


@fault("containers.used-before", breaks="containers.times")
def used_before(ask: Ask, serve: Serve) -> Answer:
    """A container was used before it was made."""
    return _container(ask, serve, lambda row: row.update(last_active_at=row["created_at"] - 60))


@fault("containers.files-after-ignored", breaks="paging.after-itself", also=("paging.*",))
def files_after_ignored(ask: Ask, serve: Serve) -> Answer:
    """Every page of the files of a container is the first."""
    return serve(replace(ask, query=_without(ask, "after")) if _is(ask, FILES, "GET") else ask)


@fault("containers.files-limit-ignored", breaks="paging.limit", also=("paging.*",))
def files_limit_ignored(ask: Ask, serve: Serve) -> Answer:
    """The files of a container come all on one page."""
    return serve(replace(ask, query=_without(ask, "limit")) if _is(ask, FILES, "GET") else ask)


@fault("containers.deletion-of-a-file", breaks="containers.delete")
def deletion_of_a_file(ask: Ask, serve: Serve) -> Answer:
    """What is deleted is a `file.deleted`, whatever it was."""
    return _edited(f"{ONE}|/v1/containers{FILE}", ask, serve, lambda row: row.update(object="file.deleted"), "DELETE")


def _without(ask: Ask, name: str) -> Query:
    return tuple(pair for pair in ask.query if pair[0] != name)
