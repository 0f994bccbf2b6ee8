"""Departures of the wire: broken delivery, wrong types, headers that mislead, secrets told.

What spoils a body stays with `GET /models`, so that what else is wrong with a run can be told apart.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import replace
from itertools import count

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import edit_error
from wireproof.standin.wire import DONE, Answer, Ask, Frame, Serve, json_answer

TRACE = (
    "Traceback (most recent call last):\n"
    '  File "/srv/app/server.py", line 212, in handle\n'
    "    body = json.loads(raw)\n"
    "json.decoder.JSONDecodeError: Expecting value"
)


def _is_list(ask: Ask) -> bool:
    return ask.method == "GET" and ask.path.endswith("/models")


@fault("wire.chat-streamed", breaks="wire.stream-unasked", also=("chat.*", "usage.*", "errors.needs-stream"))
def chats_are_streamed_unasked(ask: Ask, serve: Serve) -> Answer:
    """A chat is streamed where `stream` is absent."""
    is_chat = ask.method == "POST" and ask.path.endswith("/chat/completions")
    return serve(ask.changed(stream=True) if is_chat and ask.asked and "stream" not in ask.asked else ask)


@fault("wire.done-glued", breaks="wire.stream-unasked")
def done_is_glued_to_json(ask: Ask, serve: Serve) -> Answer:
    """The list of models is typed as an event stream, and `data: [DONE]` follows its JSON."""
    answer = serve(ask)
    if not _is_list(ask):
        return answer
    return replace(answer, body=answer.body + b"\n\n" + DONE).with_header("content-type", "text/event-stream")


@fault("wire.cut", breaks="wire.complete")
def connection_closes_early(ask: Ask, serve: Serve) -> Answer:
    """The connection closes in the middle of the list of models."""
    answer = serve(ask)
    return replace(answer, body=answer.body[: len(answer.body) // 2], cut=True) if _is_list(ask) else answer


@fault("wire.endless", breaks="wire.ends")
def the_answer_never_ends(ask: Ask, serve: Serve) -> Answer:
    """The list of models is followed by blanks without end."""
    answer = serve(ask)
    if not _is_list(ask):
        return answer

    def frames() -> Iterator[Frame]:
        yield Frame(0.0, answer.body)
        for _ in count():
            yield Frame(500.0, b" ")

    return replace(answer, frames=frames())


@fault("wire.redirected", breaks="wire.redirect")
def requests_are_sent_elsewhere(ask: Ask, serve: Serve) -> Answer:
    """The list of models is redirected to another host."""
    if not _is_list(ask):
        return serve(ask)
    return replace(serve(ask), status=302, body=b"").with_header("location", "https://elsewhere.example/v1/models")


@fault("wire.encoding-unasked", breaks="wire.encoding")
def body_is_compressed_unasked(ask: Ask, serve: Serve) -> Answer:
    """The list of models is announced as Brotli, which no request accepts."""
    answer = serve(ask)
    return answer.with_header("content-encoding", "br") if _is_list(ask) else answer


@fault("wire.latin-1", breaks="wire.utf8")
def json_is_latin_1(ask: Ask, serve: Serve) -> Answer:
    """The list of models holds a byte of Latin-1."""
    answer = serve(ask)
    if not _is_list(ask):
        return answer
    return replace(answer, body=answer.body[:-1] + ', "site": "Zürich"}'.encode("latin-1"))


@fault("wire.nan", breaks="wire.json")
def nan_is_written(ask: Ask, serve: Serve) -> Answer:
    """The list of models holds NaN, as Python's json writes it."""
    answer = serve(ask)
    return replace(answer, body=answer.body[:-1] + b', "load": NaN}') if _is_list(ask) else answer


@fault("wire.prose-after", breaks="wire.json")
def text_follows_the_json(ask: Ask, serve: Serve) -> Answer:
    """The list of models has a second document behind it."""
    answer = serve(ask)
    return replace(answer, body=answer.body + b"\n{}") if _is_list(ask) else answer


@fault("wire.json-as-text", breaks="wire.json-type")
def json_is_typed_text(ask: Ask, serve: Serve) -> Answer:
    """JSON answers are typed text/plain."""
    answer = serve(ask)
    is_json = answer.status == 200 and not answer.is_stream
    return answer.with_header("content-type", "text/plain; charset=utf-8") if is_json else answer


@fault("wire.json-untyped", breaks="wire.json-type")
def json_is_typed_bytes(ask: Ask, serve: Serve) -> Answer:
    """JSON answers are typed application/octet-stream."""
    answer = serve(ask)
    is_json = answer.status == 200 and not answer.is_stream
    return answer.with_header("content-type", "application/octet-stream") if is_json else answer


@fault("wire.stream-forced", breaks="wire.stream-unasked")
def everything_is_streamed(ask: Ask, serve: Serve) -> Answer:
    """The list of models comes as an event stream."""
    answer = serve(ask)
    if not _is_list(ask):
        return answer
    body = b"data: " + answer.body + b"\n\ndata: [DONE]\n\n"
    return replace(answer, body=body).with_header("content-type", "text/event-stream")


@fault("wire.key-twice", breaks="wire.json-keys")
def a_key_comes_twice(ask: Ask, serve: Serve) -> Answer:
    """`object` stands twice in the list of models."""
    answer = serve(ask)
    return replace(answer, body=answer.body[:-1] + b', "object": "list"}') if _is_list(ask) else answer


@fault("wire.half-emoji", breaks="wire.surrogates")
def a_character_is_halved(ask: Ask, serve: Serve) -> Answer:
    """The list of models holds half of a surrogate pair."""
    answer = serve(ask)
    return replace(answer, body=answer.body[:-1] + b', "mood": "\\ud83d"}') if _is_list(ask) else answer


@fault("wire.created-201", breaks="wire.status")
def success_is_201(ask: Ask, serve: Serve) -> Answer:
    """Embeddings are answered 201."""
    answer = serve(ask)
    return replace(answer, status=201) if answer.status == 200 and ask.path.endswith("/embeddings") else answer


@fault("wire.request-id-missing", breaks="wire.request-id")
def errors_have_no_request_id(ask: Ask, serve: Serve) -> Answer:
    """Refusals carry no x-request-id."""
    answer = serve(ask)
    return answer.without_header("x-request-id") if answer.status >= 400 else answer


@fault("wire.request-id-constant", breaks="wire.request-id-unique")
def request_ids_are_the_same(ask: Ask, serve: Serve) -> Answer:
    """Every answer has the same x-request-id."""
    return serve(ask).with_header("x-request-id", "req_0")


@fault("wire.processing-ms-unit", breaks="wire.processing-ms")
def processing_time_has_a_unit(ask: Ask, serve: Serve) -> Answer:
    """`openai-processing-ms` is sent with its unit."""
    answer = serve(ask)
    return answer.with_header("openai-processing-ms", f"{answer.header('openai-processing-ms')} ms")


@fault("wire.content-type-twice", breaks="wire.headers-once")
def content_type_comes_twice(ask: Ask, serve: Serve) -> Answer:
    """The content type is sent twice, as by a gateway that adds its own."""
    answer = serve(ask)
    return replace(answer, headers=(*answer.headers, ("content-type", answer.header("content-type") or "")))


@fault("wire.traceback", breaks="wire.no-trace", also=("errors.internals",))
def errors_show_the_stack(ask: Ask, serve: Serve) -> Answer:
    """The message of a refusal holds a Python traceback."""
    return edit_error(serve(ask), lambda body: body["error"].update(message=TRACE))


@fault("wire.key-echoed", breaks="wire.no-key")
def the_key_is_echoed(ask: Ask, serve: Serve) -> Answer:
    """The message of a 401 repeats the key in full."""
    answer = serve(ask)
    if answer.status != 401:
        return answer
    return edit_error(answer, lambda body: body["error"].update(message=f"Incorrect key: {_key(ask)}."))


@fault("wire.key-in-header", breaks="wire.no-key")
def the_key_is_in_a_header(ask: Ask, serve: Serve) -> Answer:
    """Answers repeat the key in a header."""
    return serve(ask).with_header("x-authenticated-as", _key(ask))


def _key(ask: Ask) -> str:
    return (ask.header("authorization") or "").partition(" ")[2]


@fault("wire.empty-answer", breaks="wire.json", also=("models.unknown", "chat.stored.gone", "responses.stored.*"))
def unknown_is_answered_with_nothing(ask: Ask, serve: Serve) -> Answer:
    """What does not exist is answered 200 with an empty body."""
    answer = serve(ask)
    if answer.status != 404 or ask.method != "GET":
        return answer
    return replace(json_answer({}, headers=answer.headers[1:]), body=b"")


@fault("wire.trace-beside", breaks="wire.no-trace")
def a_trace_stands_beside_the_message(ask: Ask, serve: Serve) -> Answer:
    """Errors have a stack trace in a key of its own."""
    return edit_error(serve(ask), lambda body: body["error"].update(debug=TRACE))


@fault("wire.charset", breaks="wire.utf8")
def another_charset_is_told(ask: Ask, serve: Serve) -> Answer:
    """The list of models is UTF-8, and typed as Latin-1."""
    answer = serve(ask)
    return answer.with_header("content-type", "application/json; charset=ISO-8859-1") if _is_list(ask) else answer


@fault("wire.gzip-cut", breaks="wire.encoding")
def the_compressed_body_ends_early(ask: Ask, serve: Serve) -> Answer:
    """The list of models is compressed, and the last bytes of that are lost."""
    answer = serve(ask)
    if not _is_list(ask):
        return answer
    return replace(answer, body=gzip.compress(answer.body, mtime=0)[:-9]).with_header("content-encoding", "gzip")
