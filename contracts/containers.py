"""Containers: rooms in which a model runs code. What is put into one comes back as it was, until it is deleted.

One flow makes a single container, the smallest there is: some providers bill it as a session of a few minutes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from wireproof.clause import (
    NO_MODEL,
    Call,
    Exchange,
    File,
    Flow,
    Inconclusive,
    NotApplicable,
    answered,
    clause,
    expect,
    flow,
    form,
    shown,
    steps,
)

from ._life import (
    asked_for,
    at_path,
    expect_gone,
    expect_now,
    expect_same,
    expect_schema,
    first_made,
    id_of,
    ids_of,
    is_ok,
    rows_of,
    served,
)
from ._reading import as_count, maybe_object

LIFE = "containers.life"
MINUTES = 5
ASKED = {"name": "wireproof", "expires_after": {"anchor": "last_active_at", "minutes": MINUTES}}
# Every byte there is, and no line end at the end; line ends of all kinds.
BYTES = File("wireproof-bytes.bin", bytes(range(256)) + b"\xff\xfe\x00\r\n\x00", "application/octet-stream")
TEXT = File("wireproof-text.txt", b"one\ntwo\r\nthree\rL\xc3\xa4nge \xe2\x82\xac \xf0\x9f\xa6\x8a", "text/plain")
SENT = (BYTES, TEXT)
# Lists are ordered by the second in which a thing was made.
APART_S = 1.1


@flow(LIFE, most=13, needs=NO_MODEL, about="put two files into a container, read, list and delete them, and it",
      expects="either")  # fmt: skip
def life_of_a_container() -> Flow:
    id = id_of((yield Call("POST", "/containers", ASKED)))
    if id is None:
        return
    path = f"/containers/{id}"
    yield Call("GET", path)
    yield Call("GET", "/containers", query={"limit": "3"})
    one = id_of((yield form(f"{path}/files", [("file", BYTES)])))
    yield replace(form(f"{path}/files", [("file", TEXT)]), after_s=APART_S)
    if one is not None:
        yield Call("GET", f"{path}/files/{one}/content")
        yield Call("GET", f"{path}/files")
        page = ids_of((yield Call("GET", f"{path}/files", query={"order": "asc", "limit": "1"})))
        if page and isinstance(page[-1], str):
            yield Call("GET", f"{path}/files", query={"order": "asc", "limit": "1", "after": page[-1]})
        yield Call("DELETE", f"{path}/files/{one}")
        yield Call("GET", f"{path}/files/{one}")
    yield Call("DELETE", path)
    yield Call("GET", path)


# ------------------------------------------------------------------------------------------------ reading


def _container(exchanges: Sequence[Exchange]) -> tuple[Exchange, dict[str, Any]]:
    """The container as it was made. NotApplicable where there are none."""
    body = first_made(exchanges, "createContainer", "container")
    return next(e for e in exchanges if e.operation == "createContainer" and is_ok(e)), body


def _files(exchanges: Sequence[Exchange]) -> list[tuple[Exchange, dict[str, Any], File]]:
    """The files that were put into it, each with what was sent."""
    _container(exchanges)
    tried = [e for e in exchanges if e.operation == "createContainerFile"]
    for exchange in tried:
        served(exchange, "a file of the container")
    if not tried:
        raise Inconclusive("no file was put into the container")
    return [(e, maybe_object(e), file) for e in tried for file in SENT if file.data in e.request.body]


def _deleted(exchanges: Sequence[Exchange], operation: str) -> Exchange:
    """The deletion, once it succeeded."""
    _container(exchanges)
    deletion = asked_for(exchanges, operation)
    served(deletion, "a deletion")
    return deletion


# ------------------------------------------------------------------------------------------------ clauses


@clause(
    "containers.schema",
    level="MUST",
    source="SPEC ContainerResource, ContainerFileResource and their lists",
    on=answered(
        "createContainer", "retrieveContainer", "listContainers",
        "createContainerFile", "retrieveContainerFile", "listContainerFiles",
    ),
)  # fmt: skip
def answers_follow_the_schema(exchange: Exchange) -> None:
    """A container has its id, name, state and times; a file of one its container, path, size and source."""
    expect_schema(exchange, "/first_id", "/last_id")


@clause("containers.object", level="SHOULD", source="SPEC ContainerResource.object", on=answered("createContainer"))
def a_container_says_what_it_is(exchange: Exchange) -> None:
    """A container names its kind: `object: "container"`. The official schema lets it be any string."""
    kind = maybe_object(exchange).get("object")
    expect(kind == "container", expected='object "container"', got=shown(kind), at="/object")


@clause(
    "containers.echo",
    level="MUST",
    source="SPEC CreateContainerBody, ContainerResource",
    on=steps(LIFE),
    fields=("name", "expires_after"),
)
def a_container_is_what_was_asked_for(exchanges: list[Exchange]) -> None:
    """A container has the `name` and, where it tells one, the `expires_after` that it was made with."""
    exchange, body = _container(exchanges)
    names = ("name", "expires_after") if body.get("expires_after") is not None else ("name",)
    expect_same(exchange, body, ASKED, *names)


@clause("containers.times", level="MUST", source="SPEC ContainerResource.created_at: Unix timestamp", on=steps(LIFE))
def containers_and_files_are_made_now(exchanges: list[Exchange]) -> None:
    """A container and its files were created now, in whole seconds since 1970, and not used before."""
    exchange, body = _container(exchanges)
    expect_now(exchange, body.get("created_at"), "created_at")
    used, made = as_count(body.get("last_active_at")), as_count(body.get("created_at")) or 0
    held = used is None or used >= made - 1
    expect(held, expected=f"no time before {made}", got=shown(used), at=f"{exchange.id} /last_active_at")
    for one in exchanges:
        if one.operation == "createContainerFile" and is_ok(one):
            expect_now(one, maybe_object(one).get("created_at"), "created_at")


@clause("containers.running", level="SHOULD", source="SPEC ContainerResource.status, expires_after", on=steps(LIFE))
def a_new_container_is_not_over(exchanges: list[Exchange]) -> None:
    """A container that was just made, or is in use, has not expired."""
    _container(exchanges)
    for one in exchanges:
        if one.operation in ("createContainer", "retrieveContainer") and is_ok(one):
            status = maybe_object(one).get("status")
            ended = isinstance(status, str) and status.lower() in ("expired", "deleted", "failed")
            expect(not ended, expected="a container that runs", got=shown(status), at=f"{one.id} /status")


@clause("containers.get", level="MUST", source="SPEC RetrieveContainer", on=steps(LIFE))
def a_container_reads_as_it_was_made(exchanges: list[Exchange]) -> None:
    """A container is read with the id, name and time it was made with."""
    _, made = _container(exchanges)
    exchange = asked_for(exchanges, "retrieveContainer", at_path(f"/containers/{made.get('id')}"))
    expect_same(exchange, served(exchange, "the container"), made, "id", "object", "name", "created_at")


@clause("containers.list", level="MUST", source="SPEC ListContainers", on=steps(LIFE))
def containers_are_listed(exchanges: list[Exchange]) -> None:
    """A container that was made is in the list."""
    _, made = _container(exchanges)
    exchange = asked_for(exchanges, "listContainers")
    body, ids = served(exchange, "a list of containers"), ids_of(exchange)
    if made.get("id") not in ids and body.get("has_more") is True:
        raise Inconclusive("others were made in the meantime")
    expect(made.get("id") in ids, expected=f"{made.get('id')} in the list", got=shown(ids), at=f"{exchange.id} /data")


# ------------------------------------------------------------------------------------------------ its files


@clause("containers.file", level="MUST", source="SPEC ContainerFileResource.container_id", on=steps(LIFE))
def a_file_knows_its_container(exchanges: list[Exchange]) -> None:
    """A file that is put into a container has an id of its own, and the `container_id` of the container."""
    _, made = _container(exchanges)
    files = _files(exchanges)
    for exchange, body, _ in files:
        expect_same(exchange, body, {"container_id": made.get("id")}, "container_id")
    ids = [body.get("id") for _, body, _ in files]
    expect(len(ids) == len({shown(id) for id in ids}), expected="an id for each file", got=shown(ids),
           at=f"{files[-1][0].id} /id")  # fmt: skip


@clause("containers.bytes", level="MUST", source="SPEC ContainerFileResource.bytes", on=steps(LIFE))
def bytes_are_counted(exchanges: list[Exchange]) -> None:
    """`bytes` of a file that was sent is its size, to the byte."""
    told = [(e, body["bytes"], file) for e, body, file in _files(exchanges) if body.get("bytes") is not None]
    if not told:
        raise NotApplicable("no file tells its size")
    for exchange, size, file in told:
        is_exact = type(size) is int and size == len(file.data)
        expect(is_exact, expected=f"bytes {len(file.data)}", got=shown(size), at=f"{exchange.id} /bytes")


@clause("containers.path", level="SHOULD", source="SPEC ContainerFileResource.path; DOCS-0715 code interpreter",
        on=steps(LIFE))  # fmt: skip
def a_path_ends_in_the_name(exchanges: list[Exchange]) -> None:
    """The `path` of a file in its container ends in the name it was sent with: by it, code opens the file."""
    for exchange, body, file in _files(exchanges):
        path = body.get("path")
        if not isinstance(path, str):
            raise Inconclusive("there is no path: containers.schema judges that")
        expect(path.endswith(file.name), expected=f"a path that ends in {file.name}", got=path,
               at=f"{exchange.id} /path")  # fmt: skip


@clause("containers.source", level="SHOULD", source="SPEC ContainerFileResource.source (e.g. user, assistant)",
        on=steps(LIFE))  # fmt: skip
def a_sent_file_is_the_users(exchanges: list[Exchange]) -> None:
    """A file that was sent has the `source` user, unlike those that a model writes."""
    for exchange, body, _ in _files(exchanges):
        expect_same(exchange, body, {"source": "user"}, "source")


@clause("containers.content", level="MUST", source="SPEC RetrieveContainerFileContent", on=steps(LIFE))
def content_comes_back_byte_for_byte(exchanges: list[Exchange]) -> None:
    """The content of a file is what was sent, byte for byte."""
    for _, body, file in _files(exchanges):
        for exchange in exchanges:
            if exchange.request.path.endswith(f"/files/{body.get('id')}/content"):
                served(exchange, "the content of a file that was just sent")
                got = f"{len(exchange.body)} bytes, {exchange.body[:16]!r} first"
                expect(exchange.body == file.data, expected=f"the {len(file.data)} bytes that were sent", got=got,
                       at=f"{exchange.id} ")  # fmt: skip
                return
    raise NotApplicable("no content was asked for")


@clause("containers.files-list", level="MUST", source="SPEC ListContainerFiles", on=steps(LIFE))
def files_are_listed(exchanges: list[Exchange]) -> None:
    """The files of a container are in its list, with the fields they were made with, and no others."""
    made = {str(body.get("id")): body for _, body, _ in _files(exchanges)}
    exchange = asked_for(exchanges, "listContainerFiles")
    served(exchange, "the files of the container")
    rows = {str(row.get("id")): row for row in rows_of(exchange)}
    expect(set(rows) == set(made), expected=f"{shown(sorted(made))} in the list", got=shown(sorted(rows)),
           at=f"{exchange.id} /data")  # fmt: skip
    for id, row in rows.items():
        expect_same(exchange, row, made[id], "object", "container_id", "created_at", "bytes", "path", "source")


@clause("containers.file-gone", level="MUST", source="SPEC DeleteContainerFile, RetrieveContainerFile", on=steps(LIFE))
def a_deleted_file_is_gone(exchanges: list[Exchange]) -> None:
    """A file that was deleted from a container is not found there any more: 404."""
    deletion = _deleted(exchanges, "deleteContainerFile")
    expect_gone(asked_for(exchanges, "retrieveContainerFile", at_path(deletion.request.path), after=deletion))


# ------------------------------------------------------------------------------------------------ its end


@clause(
    "containers.delete",
    level="SHOULD",
    source="OBS deletions of containers and their files; the official document has no body",
    on=answered("deleteContainer", "deleteContainerFile"),
)
def a_deletion_says_so(exchange: Exchange) -> None:
    """The deletion of a container or of a file of one, where it has a body, is answered `deleted: true` with its id,
    and with an `object` of its kind.
    """
    if not exchange.body.strip():
        raise NotApplicable("the answer has no body")
    wanted = {"id": exchange.request.path.rpartition("/")[2], "deleted": True}
    expect_same(exchange, maybe_object(exchange), wanted, "id", "deleted")
    kind = maybe_object(exchange).get("object")
    held = kind is None or str(kind).startswith("container")
    expect(held, expected="object container.deleted", got=shown(kind), at="/object")


@clause("containers.gone", level="MUST", source="SPEC DeleteContainer, RetrieveContainer", on=steps(LIFE))
def a_deleted_container_is_gone(exchanges: list[Exchange]) -> None:
    """A deleted container is not found: 404."""
    deletion = _deleted(exchanges, "deleteContainer")
    expect_gone(asked_for(exchanges, "retrieveContainer", at_path(deletion.request.path), after=deletion))
