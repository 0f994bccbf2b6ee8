"""What holds for every answer, whatever was asked: it comes whole, it is what it says it is, and it tells no secrets.

No probes of its own: these clauses read all traffic. Headers are judged in wire_headers.py, the bytes of event streams
in sse.py, the bodies of refusals in errors_shape.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from wireproof.clause import (
    Evidence,
    Exchange,
    Inconclusive,
    NotApplicable,
    Undecodable,
    answered,
    clause,
    expect,
    load_spec,
    parse_json,
    sent,
    shown,
)

from ._reading import header_sent, promises_json

ANY = sent()
# Also answers that broke off, and requests that got none.
ANY_AT_ALL = Evidence(status="any", troubled=True)


PLAIN = answered(
    asks=lambda body: body.get("stream") in (None, False), shows=lambda e: promises_json(e) and not e.streamed
)

# How a stack looks in the languages that servers are written in. All need the punctuation of a frame, so
# that a message which only mentions a file or a line is none.
STACKS = (
    ("Python", re.compile(r"Traceback \(most recent call last\)|File \"[^\"\n]+\", line \d+, in ")),
    ("JavaScript", re.compile(r"^\s*at .*\(?(?:[\w./\\:@-]+\.[cm]?[jt]s|node:[\w/]+):\d+:\d+\)?", re.MULTILINE)),
    ("Java", re.compile(r"^\s*at [\w.$<>/]+\([\w$]+\.(?:java|kt|scala):\d+\)", re.MULTILINE)),
    ("C#", re.compile(r"^\s*at [\w.`<>\[\]]+\(.*\) in .+:line \d+", re.MULTILINE)),
    ("Go", re.compile(r"goroutine \d+ \[[\w ,]+\]:")),
    ("Rust", re.compile(r"thread '[^']*' (?:\(\d+\) )?panicked at|stack backtrace:")),
    ("PHP", re.compile(r"^#\d+ .+\.php\(\d+\): ", re.MULTILINE)),
    ("Ruby", re.compile(r"[\w./-]+\.rb:\d+:in [`']")),
)

CHARSET = re.compile(r"charset\s*=\s*[\"']?([^\s\"';]+)", re.IGNORECASE)
UTF8 = ("utf-8", "utf8", "us-ascii", "ascii")  # ASCII is UTF-8 as well, and a body that is more is found by its bytes

# What the recorder writes where a target echoed the key, and the shortest other key that is worth a look.
MARKER = "[redacted-key]"
LEAST_KEY_LENGTH = 8

# Redirects after which a client sends GET in place of POST (RFC 9110 15.4).
METHOD_LOST = (301, 302, 303)


# ----------------------------------------------------------------------------------------------- delivery


@clause("wire.complete", level="MUST", source="RFC9110 6.4; RFC 9112 8", on=ANY_AT_ALL)
def answer_comes_whole(exchange: Exchange) -> None:
    """Every request gets an HTTP answer, and the answer arrives whole, as long as its headers announce it.

    A connection that closes in the middle looks to a client like a network fault: it retries, and pays twice.
    """
    trouble = _trouble(exchange, "truncated", "garbage")
    expect(trouble is None, expected="a whole answer", got=trouble or "")


@clause("wire.ends", level="MUST", source="RFC9110 6.4", on=ANY_AT_ALL)
def answer_ends(exchange: Exchange) -> None:
    """Every answer ends, within the size and the time that the recorder allows.

    Streams that go on for ever (pings without end, a generation that ignores its cap) hold a connection and a
    worker of the client each.
    """
    trouble = _trouble(exchange, "oversized", "endless", "timeout")
    expect(trouble is None, expected="an answer that ends", got=trouble or "")


def _trouble(exchange: Exchange, *kinds: str) -> str | None:
    """The detail of a trouble of these kinds. Inconclusive when it may be ours or the network's."""
    trouble = exchange.trouble
    if trouble is None or trouble.kind not in kinds:
        if exchange.status is None:
            raise Inconclusive(trouble.detail if trouble else "no answer")
        return None
    if not trouble.theirs:
        raise Inconclusive(trouble.detail)
    return trouble.detail


@clause("wire.redirect", level="MUST", source="RFC9110 15.4; SDK _base_client.py: follows redirects", on=ANY_AT_ALL)
def nobody_is_sent_elsewhere(exchange: Exchange) -> None:
    """No answer sends the client to another host, nor to a place where its POST becomes a GET.

    A client that follows takes the request there, prompt included, or loses its body on the way.
    """
    status = exchange.status
    if status is None or status // 100 != 3 or status == 304:
        return
    place = exchange.header("location") or ""
    stays = place.startswith("/") and not place.startswith("//")
    keeps_method = status not in METHOD_LOST or exchange.request.method in ("GET", "HEAD")
    expect(stays and keeps_method, expected="an answer from this host", got=f"{status} to {place or 'nowhere'}")


# ------------------------------------------------------------------------------------------- what it says


@clause("wire.encoding", level="MUST", source="RFC9110 8.4, 12.5.3", on=ANY)
def body_is_encoded_as_announced(exchange: Exchange) -> None:
    """The body decodes by its `content-encoding`, and that is one the request accepts."""
    flaw = _coding_flaw(exchange)
    expect(flaw is None, expected="a body encoded as announced and accepted", got=flaw or "")


def _coding_flaw(exchange: Exchange) -> str | None:
    try:
        exchange.body.startswith(b"")
    except Undecodable as bad:
        return str(bad)
    return None


@clause("wire.utf8", level="MUST", source="SPEC application/json; RFC 8259 8.1", on=sent(streamed=False))
def json_is_utf8(exchange: Exchange) -> None:
    """A JSON body is UTF-8 from its first byte to its last, and says no other charset."""
    if exchange.media_type != "application/json":
        raise NotApplicable(f"the answer is {exchange.media_type or 'untyped'}")
    given = exchange.header("content-type") or ""
    charset = CHARSET.search(given)
    expect(charset is None or charset[1].lower() in UTF8, expected="charset utf-8 or none", got=given)
    try:
        exchange.body.decode("utf-8")
    except UnicodeDecodeError as bad:
        expect(False, expected="UTF-8", got=f"byte {bad.start} is {exchange.body[bad.start]:#04x}")


@clause("wire.json", level="MUST", source="SPEC responses of every operation; RFC 8259", on=PLAIN)
def answer_is_json(exchange: Exchange) -> None:
    """A plain answer is one JSON document, with neither `NaN` nor `Infinity`, nor anything before or after it.

    Python's `json` writes NaN by default, and no other language's parser reads it.
    """
    if exchange.media_type == "text/event-stream":
        raise NotApplicable("an event stream, though none was asked for: wire.stream-unasked judges that")
    text = exchange.text
    try:
        parse_json(text)
    except Undecodable as bad:
        expect(False, expected="a JSON document", got=f"{bad}; the body is {shown(text)}")


@clause("wire.json-type", level="MUST", source="SPEC responses of every operation: application/json", on=PLAIN)
def json_is_typed_as_such(exchange: Exchange) -> None:
    """A JSON answer has `content-type: application/json`; a charset may follow."""
    if not isinstance(exchange.json, dict | list):
        raise NotApplicable("the answer is no JSON object")
    expect(
        exchange.media_type == "application/json",
        expected="content-type: application/json",
        got=exchange.header("content-type") or "no content-type",
    )


@clause("wire.stream-unasked", level="MUST", source="SPEC CreateChatCompletionRequest.stream: default false", on=PLAIN)
def nobody_is_streamed_to_unasked(exchange: Exchange) -> None:
    """Without `stream: true` an answer is JSON, never an event stream."""
    head = exchange.wire.lstrip()[:6]
    streams = exchange.media_type == "text/event-stream" or head.startswith((b"data:", b"event:"))
    expect(not streams, expected="JSON", got=f"{exchange.media_type}: {shown(exchange.wire[:60].decode('latin-1'))}")


@clause("wire.json-keys", level="SHOULD", source="SPEC application/json; RFC 8259 4: names should be unique", on=ANY)
def no_key_comes_twice(exchange: Exchange) -> None:
    """No object names a key twice.

    Parsers differ in which of the two they keep, so two clients read two answers.
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        read = dict(pairs)
        if len(read) < len(pairs):
            names = [name for name, _ in pairs]
            twice.extend(name for name in read if names.count(name) > 1)
        return read

    for event, text in _documents(exchange):
        twice: list[str] = []
        try:
            json.loads(text, object_pairs_hook=unique)
        except (ValueError, RecursionError):
            continue  # what is not JSON is the matter of wire.json and sse.json
        expect(not twice, expected="each key once", got=f"{shown(twice[:1])[1:-1]} twice", event=event)


@clause("wire.surrogates", level="SHOULD", source="SPEC application/json; RFC 8259 8.2", on=ANY)
def strings_are_unicode(exchange: Exchange) -> None:
    r"""No string holds half of a surrogate pair, as `"\ud83d"` by itself.

    It comes from cutting text between UTF-16 units, in streams mostly. Many clients cannot write such a
    string to a file or a socket.
    """
    for event, text in _documents(exchange):
        if "\\ud" not in text and "\\uD" not in text:
            continue
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            continue
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError as half:
            got = f"\\u{ord(half.object[half.start]):04x} by itself"
            expect(False, expected="whole characters", got=got, event=event)


def _documents(exchange: Exchange) -> Iterator[tuple[int | None, str]]:
    """The JSON texts of an answer: the body, or the data of each event with the event's number."""
    if exchange.media_type != "text/event-stream":
        yield None, exchange.text
        return
    for number, event in enumerate(exchange.events):
        if event.data:
            yield number, event.data


@clause("wire.status", level="SHOULD", source="SPEC responses of every operation", on=answered())
def success_is_the_documented_status(exchange: Exchange) -> None:
    """A request that succeeds is answered with the documented status, 200."""
    if exchange.operation is None:
        raise NotApplicable("no documented operation")
    rows = load_spec().operations[exchange.operation].node.get("responses", {})
    documented = sorted(row for row in rows if row.startswith("2"))
    expect(str(exchange.status) in documented, expected=f"status {', '.join(documented)}", got=exchange.status)


# ------------------------------------------------------------------------------------------- what it hides


@clause("wire.no-trace", level="MUST", source="RFC9110 15.5, 17.12; OBS errors", on=ANY)
def no_stack_is_shown(exchange: Exchange) -> None:
    """No error shows a stack trace of the server.

    It tells strangers paths, versions and at times data, and tells the caller nothing it can act on.
    """
    for event, text in _errors(exchange):
        for language, stack in STACKS:
            found = stack.search(text)
            expect(
                found is None,
                expected="an error without a stack trace",
                got=f"{language}: {shown(found.group().strip()) if found else ''}",
                event=event,
            )


def _errors(exchange: Exchange) -> Iterator[tuple[int | None, str]]:
    """What the server says about failures: the body of a refusal, JSON unescaped, or the error events of a stream."""
    if exchange.status is not None and exchange.status >= 400:
        yield None, _unescaped(exchange.body.decode("utf-8", "replace"))
    elif exchange.media_type == "text/event-stream":
        for number, event in enumerate(exchange.events):
            if event.data and '"error"' in event.data and _carries_error(event.data):
                yield number, _unescaped(event.data)


def _carries_error(data: str) -> bool:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and bool(value.get("error"))


def _unescaped(text: str) -> str:
    """Line ends and quotes of JSON strings as they are meant."""
    return text.replace("\\r", "").replace("\\n", "\n").replace("\\t", "\t").replace('\\"', '"')


@clause("wire.no-key", level="MUST", source="OBS 401: the message shows the key masked", on=ANY)
def key_is_not_echoed(exchange: Exchange) -> None:
    """No answer repeats the API key it was asked with; a masked one (`sk-...abcd`) is fine.

    Error messages end up in logs, tickets and screenshots, and the key with them.
    """
    scheme, _, key = (header_sent(exchange, "authorization") or "").partition(" ")
    secrets = [MARKER]
    if scheme.lower() == "bearer" and len(key) >= LEAST_KEY_LENGTH and MARKER not in key:
        secrets.append(key)
    try:
        body = exchange.body
    except Undecodable:
        body = exchange.wire
    for secret in secrets:
        expect(secret.encode() not in body, expected="an answer without the key", got="the whole key in the body")
        holder = next((name for name, value in exchange.headers if secret in value), None)
        expect(holder is None, expected="an answer without the key", got=f"the whole key in the header {holder}")
