"""Files: kept byte for byte under the name and for the purpose they were sent with, until they are deleted.

One flow walks three small files through their lives. What it lists is judged in paging.py as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import quote

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

from ._errors import error_told
from ._life import (
    NOT_SERVED,
    asked_for,
    expect_gone,
    expect_now,
    expect_same,
    expect_schema,
    expect_turned_down,
    first_made,
    id_of,
    ids_of,
    is_ok,
    of_path,
    rows_of,
    served,
)
from ._reading import maybe_object

LIFE = "files.life"
# A mark of byte order, line ends of all kinds, letters of one to four bytes, no line end at the end.
TEXT = File(
    "wireproof-one.txt", b"\xef\xbb\xbfone\ntwo\r\nthree\rL\xc3\xa4nge \xe2\x82\xac \xf0\x9f\xa6\x8a", "text/plain"
)
# Every byte there is: a server that takes files for text changes or loses some.
BYTES = File("wireproof two.txt", bytes(range(256)) + b"\xff\xfe\x00\r\n", "application/octet-stream")
SHORT = File("wireproof-Größe-3.txt", b"drei\n", "text/plain")
SENT = (TEXT, BYTES, SHORT)
# The bytes of the first under the name of the second: a file all the same, that takes the place of neither.
COPY = replace(TEXT, name=BYTES.name)
LIFE_S = 7200
# Less than the hour that a file is kept at least.
TOO_SHORT_S = 60
# Lists are ordered by the second in which a thing was made.
APART_S = 1.1
PURPOSES = ("user_data", "assistants")
# No file of the flow has it.
OTHER_PURPOSE = "fine-tune"
NO_PURPOSE = "wireproof-no-such-purpose"
UNKNOWN = "file-wireproofnosuchfile"


def _upload(file: File, purpose: str, *more: tuple[str, str]) -> Call:
    return form("/files", [("purpose", purpose), *more, ("file", file)])


@flow(LIFE, most=31, needs=NO_MODEL, about="keep three files, read, list, page through and delete them",
      expects="either")  # fmt: skip
def lives_of_files() -> Flow:
    for purpose in PURPOSES:
        first = yield _upload(TEXT, purpose)
        if is_ok(first) or first.status in NOT_SERVED:
            break
    one = id_of(first)
    if one is None:
        return
    two = id_of((yield replace(_upload(BYTES, purpose), after_s=APART_S)))
    # A page before the third file comes, and the next one after it came: a cursor is no number of a place.
    yield _page(purpose, order="desc", limit="1")
    three = id_of((yield replace(_upload(SHORT, purpose, *_expiry(LIFE_S)), after_s=APART_S)))
    if two is not None:
        yield _page(purpose, order="desc", limit="1", after=two)
    # In the same second, as far as the server is quick: a cursor is no time either.
    copy = id_of((yield _upload(COPY, purpose)))
    yield _page(purpose, limit="4")
    for more in ({"limit": "3"}, {"limit": "1"}):
        yield _page(purpose, order="asc", after=one, **more)
    for last in (three, copy):
        if last is not None:
            yield _page(purpose, order="asc", after=last, limit="2")
    yield _page(OTHER_PURPOSE, limit="3")
    yield _page(purpose, after=UNKNOWN)
    for limit in ("0", "two"):
        yield _page(purpose, limit=limit)
    yield Call("GET", f"/files/{one}")
    yield Call("GET", f"/files/{one}/content")
    if two is not None:
        yield Call("GET", f"/files/{two}/content")
    strays: list[str | None] = []
    mistakes: tuple[list[tuple[str, str | File]], ...] = (
        [("file", SHORT)],
        [("purpose", purpose)],
        [("purpose", NO_PURPOSE), ("file", SHORT)],
        [("purpose", purpose), *_expiry(TOO_SHORT_S), ("file", SHORT)],
    )
    for mistake in mistakes:
        taken = yield form("/files", mistake)
        strays.append(id_of(taken))
    yield Call("DELETE", f"/files/{one}")
    yield Call("DELETE", f"/files/{one}")
    yield Call("GET", f"/files/{one}")
    yield Call("GET", f"/files/{one}/content")
    yield _page(purpose, limit="3")
    for id in (two, three, copy, *strays):
        if id is not None:
            yield Call("DELETE", f"/files/{id}")


def _expiry(seconds: int) -> tuple[tuple[str, str], ...]:
    return ("expires_after[anchor]", "created_at"), ("expires_after[seconds]", str(seconds))


def _page(purpose: str, **query: str) -> Call:
    return Call("GET", "/files", query={"purpose": purpose, **query})


# ------------------------------------------------------------------------------------------------ reading


def _made(exchanges: Sequence[Exchange]) -> list[tuple[Exchange, File]]:
    """The files that were kept, each with what was sent. NotApplicable when there is none."""
    first_made(exchanges, "createFile", "file")
    made = [
        (exchange, file)
        for exchange in exchanges
        for file in SENT
        if exchange.operation == "createFile"
        and id_of(exchange) is not None
        and _purpose_sent(exchange) in PURPOSES
        and _is_sent(exchange, file)
    ]
    if not made:
        raise Inconclusive("none of the files that were sent was kept")
    return made


def _is_sent(exchange: Exchange, file: File) -> bool:
    body = exchange.request.body
    return file.name.encode() in body and file.data in body and _life_sent(exchange) != TOO_SHORT_S


def _life_sent(exchange: Exchange) -> int | None:
    """The seconds that a form asks a file to be kept for."""
    _, _, rest = exchange.request.body.partition(b'name="expires_after[seconds]"\r\n\r\n')
    return int(rest.partition(b"\r\n")[0]) if rest else None


def _purpose_sent(exchange: Exchange) -> str:
    """The field `purpose` of a form."""
    _, _, rest = exchange.request.body.partition(b'name="purpose"\r\n\r\n')
    return rest.partition(b"\r\n")[0].decode()


def _id(exchange: Exchange) -> str:
    return str(maybe_object(exchange).get("id"))


def _deletions(exchanges: Sequence[Exchange]) -> tuple[str, Exchange]:
    """The file that was deleted first, and its deletion, once it succeeded."""
    id = _id(_made(exchanges)[0][0])
    deletion = asked_for(exchanges, "deleteFile", of_path(f"/files/{id}"))
    if not is_ok(deletion):
        raise NotApplicable(f"nothing was deleted: {deletion.id} was answered {deletion.status}")
    return id, deletion


# ------------------------------------------------------------------------------------------------ clauses


@clause(
    "files.schema",
    level="MUST",
    source="SPEC OpenAIFile, ListFilesResponse, DeleteFileResponse",
    on=answered("createFile", "retrieveFile", "listFiles", "deleteFile"),
)
def answers_follow_the_schema(exchange: Exchange) -> None:
    """A file is `{id, object: "file", bytes, created_at, filename, purpose}`; lists and deletions are as documented."""
    expect_schema(exchange, "/first_id", "/last_id", "/deleted", "/data/*/status", "/status")


@clause("files.status", level="SHOULD", source="SPEC OpenAIFile.status: deprecated, and required",
        on=answered("createFile", "retrieveFile"))  # fmt: skip
def files_have_a_status(exchange: Exchange) -> None:
    """A file says how far it is: `status` is uploaded, processed or error. Deprecated, and still required."""
    status = maybe_object(exchange).get("status")
    known = ("uploaded", "processed", "error")
    expect(status in known, expected=f"status {' or '.join(known)}", got=shown(status), at="/status")


@clause("files.bytes", level="MUST", source="SPEC OpenAIFile.bytes", on=steps(LIFE))
def bytes_are_counted(exchanges: list[Exchange]) -> None:
    """`bytes` is the size of the file that was sent, to the byte."""
    for exchange, file in _made(exchanges):
        size = maybe_object(exchange).get("bytes")
        is_exact = type(size) is int and size == len(file.data)
        expect(is_exact, expected=f"bytes {len(file.data)}", got=shown(size), at=f"{exchange.id} /bytes")


@clause("files.filename", level="MUST", source="SPEC OpenAIFile.filename", on=steps(LIFE))
def names_are_kept(exchanges: list[Exchange]) -> None:
    """`filename` is the name that the file was sent with."""
    for exchange, file in _made(exchanges):
        if file.name.isascii():
            name = maybe_object(exchange).get("filename")
            expect(name == file.name, expected=f"filename {file.name}", got=shown(name), at=f"{exchange.id} /filename")


@clause("files.filename-utf8", level="SHOULD", source="SPEC OpenAIFile.filename; RFC 7578 5.1", on=steps(LIFE))
def names_may_have_any_letter(exchanges: list[Exchange]) -> None:
    """A `filename` outside ASCII, sent in UTF-8 as every client does, comes back with the same letters."""
    foreign = [(exchange, file) for exchange, file in _made(exchanges) if not file.name.isascii()]
    if not foreign:
        raise NotApplicable("the file with such a name was not kept")
    for exchange, file in foreign:
        name = maybe_object(exchange).get("filename")
        expect(name in (file.name, quote(file.name)), expected=f"filename {file.name}", got=shown(name),
               at=f"{exchange.id} /filename")  # fmt: skip


@clause("files.purpose", level="MUST", source="SPEC OpenAIFile.purpose", on=steps(LIFE))
def purposes_are_kept(exchanges: list[Exchange]) -> None:
    """`purpose` is the one that the file was sent for."""
    for exchange, _ in _made(exchanges):
        sent, told = _purpose_sent(exchange), maybe_object(exchange).get("purpose")
        expect(told == sent, expected=f"purpose {sent}", got=shown(told), at=f"{exchange.id} /purpose")


@clause("files.created", level="MUST", source="SPEC OpenAIFile.created_at: Unix timestamp in seconds", on=steps(LIFE))
def files_are_created_now(exchanges: list[Exchange]) -> None:
    """`created_at` is the time of the upload in whole seconds since 1970."""
    for exchange, _ in _made(exchanges):
        expect_now(exchange, maybe_object(exchange).get("created_at"), "created_at")


@clause("files.id-unique", level="MUST", source="SPEC OpenAIFile.id: can be referenced", on=steps(LIFE))
def files_have_ids_of_their_own(exchanges: list[Exchange]) -> None:
    """No two files share an id, not even two of the same content: who deletes one would delete both."""
    copies = [exchange for exchange in exchanges if is_ok(exchange) and _is_sent(exchange, COPY)]
    ids = [_id(exchange) for exchange in [*(made for made, _ in _made(exchanges)), *copies]]
    expect(len(set(ids)) == len(ids), expected="an id for each file", got=shown(ids), at="/id")


@clause("files.expiry", level="MUST", source="SPEC FileExpirationAfter", on=steps(LIFE))
def expiry_is_kept(exchanges: list[Exchange]) -> None:
    """A file that was sent with `expires_after` expires so many seconds after `created_at`, and says so."""
    for exchange, _ in _made(exchanges):
        if _life_sent(exchange) == LIFE_S:
            body = maybe_object(exchange)
            created, expires = body.get("created_at"), body.get("expires_at")
            if type(created) is not int:
                raise Inconclusive("created_at is no whole number: files.created judges that")
            expect(expires == created + LIFE_S, expected=f"expires_at {created + LIFE_S}", got=shown(expires),
                   at=f"{exchange.id} /expires_at")  # fmt: skip
            return
    raise NotApplicable("no file was kept that expires")


@clause("files.get", level="MUST", source="SPEC retrieveFile", on=steps(LIFE))
def a_file_reads_as_it_was_made(exchanges: list[Exchange]) -> None:
    """A file is read with the fields that its upload was answered with."""
    made = maybe_object(_made(exchanges)[0][0])
    exchange = asked_for(exchanges, "retrieveFile", of_path(f"/files/{made.get('id')}"))
    read = served(exchange, "the file")
    expect_same(exchange, read, made, "id", "object", "bytes", "created_at", "filename", "purpose")


@clause("files.content", level="MUST", source="SPEC downloadFile", on=steps(LIFE))
def content_comes_back_byte_for_byte(exchanges: list[Exchange]) -> None:
    """The content of a file is what was sent, byte for byte: line ends, zeros and letters of every size."""
    judged = False
    for made, file in _made(exchanges):
        for exchange in exchanges:
            if exchange.request.path != f"/files/{_id(made)}/content" or exchange.status == 404:
                continue
            if exchange.status in (400, 403):
                raise NotApplicable(
                    f"the content is not given out for this purpose: {exchange.id} was answered {exchange.status}"
                )
            served(exchange, "the content")
            judged = True
            body = exchange.body
            at = next((at for at, pair in enumerate(zip(body, file.data, strict=False)) if pair[0] != pair[1]),
                      min(len(body), len(file.data)))  # fmt: skip
            got = f"{len(body)} bytes, other from byte {at}: {body[at : at + 12]!r}"
            expect(body == file.data, expected=f"the {len(file.data)} bytes that were sent", got=got,
                   at=f"{exchange.id} ")  # fmt: skip
            break
    if not judged:
        made, _ = _made(exchanges)[0]
        first = asked_for(exchanges, "downloadFile", of_path(f"/files/{_id(made)}/content"))
        served(first, "the content of a file that was just kept")


@clause("files.list", level="MUST", source="SPEC listFiles", on=steps(LIFE))
def files_are_listed(exchanges: list[Exchange]) -> None:
    """Files stand in the list of their purpose as they were made, the newest first."""
    made = [maybe_object(exchange) for exchange, _ in _made(exchanges)]
    exchange = asked_for(exchanges, "listFiles", lambda e: e.request.query.get("limit") == "4")
    served(exchange, "a list of files")
    rows = {row.get("id"): row for row in rows_of(exchange) if isinstance(row.get("id"), str)}
    missing = [one.get("id") for one in made if one.get("id") not in rows]
    foreign = set(rows) - {one.get("id") for one in made}
    if missing and foreign and len(rows) >= len(made):
        raise Inconclusive("other files were kept in the meantime")
    expect(not missing, expected=f"{shown(missing)} in the list", got=shown(list(rows)), at=f"{exchange.id} /data")
    for one in made:
        expect_same(exchange, rows[one.get("id")], one, "object", "bytes", "created_at", "filename")


@clause(
    "files.list-purpose", level="MUST", source="SPEC listFiles.purpose", on=answered("listFiles"), fields=("purpose",)
)
def lists_are_of_one_purpose(exchange: Exchange) -> None:
    """A list that is asked for one `purpose` has files of that purpose alone."""
    asked = exchange.request.query.get("purpose")
    if asked is None:
        raise NotApplicable("no purpose was asked for")
    others = [row.get("id") for row in rows_of(exchange) if row.get("purpose") not in (asked, None)]
    expect(not others, expected=f"files of purpose {asked}", got=f"others: {shown(others)}", at="/data")


@clause("files.delete", level="MUST", source="SPEC DeleteFileResponse", on=steps(LIFE))
def a_deletion_says_so(exchanges: list[Exchange]) -> None:
    """A deletion is answered `{id, object: "file", deleted: true}` with the id that was deleted."""
    id = _id(_made(exchanges)[0][0])
    exchange = asked_for(exchanges, "deleteFile", of_path(f"/files/{id}"))
    told = served(exchange, "a deletion")
    expect(told.get("deleted") is True, expected="deleted true", got=shown(told.get("deleted")),
           at=f"{exchange.id} /deleted")  # fmt: skip
    expect(told.get("id") == id, expected=f"id {id}", got=shown(told.get("id")), at=f"{exchange.id} /id")


@clause("files.gone", level="MUST", source="SPEC deleteFile, retrieveFile, downloadFile", on=steps(LIFE))
def a_deleted_file_is_gone(exchanges: list[Exchange]) -> None:
    """A deleted file is found no more: 404 for itself and for its content, and it is in no list."""
    id, deletion = _deletions(exchanges)
    expect_gone(asked_for(exchanges, "retrieveFile", of_path(f"/files/{id}"), after=deletion))
    if is_ok(asked_for(exchanges, "downloadFile", of_path(f"/files/{id}/content"))):
        expect_gone(asked_for(exchanges, "downloadFile", of_path(f"/files/{id}/content"), after=deletion))
    exchange = asked_for(exchanges, "listFiles", after=deletion)
    if is_ok(exchange):
        expect(
            id not in ids_of(exchange), expected=f"a list without {id}", got="it is there", at=f"{exchange.id} /data"
        )


@clause("files.delete-twice", level="SHOULD", source="SPEC deleteFile; ERR-LATE 404", on=steps(LIFE))
def nothing_is_deleted_twice(exchanges: list[Exchange]) -> None:
    """A second deletion of a file is answered 404: there is nothing left to delete."""
    id, deletion = _deletions(exchanges)
    expect_gone(asked_for(exchanges, "deleteFile", of_path(f"/files/{id}"), after=deletion))


# ------------------------------------------------------------------------------------------------ mistakes


def _mistake(exchanges: Sequence[Exchange], what: str) -> Exchange:
    """The upload without its purpose, without its file, with a purpose there is not, or for too short a life."""
    _made(exchanges)
    kinds = {
        "purpose": lambda body: b'name="purpose"' not in body,
        "file": lambda body: b'name="file"' not in body,
        "unknown": lambda body: NO_PURPOSE.encode() in body,
        "life": lambda body: f"\r\n{TOO_SHORT_S}\r\n".encode() in body,
    }
    return asked_for(exchanges, "createFile", lambda e: bool(kinds[what](e.request.body)))


@clause("files.incomplete", level="MUST", source="SPEC CreateFileRequest.required; ERR-LATE 400", on=steps(LIFE))
def an_incomplete_upload_is_refused(exchanges: list[Exchange]) -> None:
    """An upload without `purpose`, or without `file`, is refused with 400, or 422."""
    for what in ("purpose", "file"):
        expect_turned_down(_mistake(exchanges, what))


@clause("files.unknown-purpose", level="SHOULD", source="SPEC CreateFileRequest.purpose", on=steps(LIFE))
def an_unknown_purpose_is_refused(exchanges: list[Exchange]) -> None:
    """A `purpose` that there is not is refused with 400, or 422: no operation would ever take the file."""
    expect_turned_down(_mistake(exchanges, "unknown"))


@clause("files.expiry-bounds", level="SHOULD", source="SPEC FileExpirationAfter.seconds: 3600 to 2592000",
        on=steps(LIFE))  # fmt: skip
def too_short_a_life_is_refused(exchanges: list[Exchange]) -> None:
    """`expires_after` of less than an hour is refused with 400, or 422, and not taken for another time."""
    expect_turned_down(_mistake(exchanges, "life"))


@clause("files.param", level="SHOULD", source="SPEC Error.param; ERR-LATE 400", on=steps(LIFE))
def a_refused_upload_names_the_field(exchanges: list[Exchange]) -> None:
    """The error of an incomplete upload names what is missing: `param` is `purpose`, or `file`."""
    judged = False
    for what in ("purpose", "file"):
        exchange = _mistake(exchanges, what)
        if exchange.status in (400, 422):
            judged = True
            param = error_told(exchange).get("param")
            expect(isinstance(param, str) and what in param, expected=f"param {what}", got=shown(param),
                   at=f"{exchange.id} /error/param")  # fmt: skip
    if not judged:
        raise NotApplicable("no upload was refused with 400")
