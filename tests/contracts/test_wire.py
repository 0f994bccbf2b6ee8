"""contracts/wire.py: each clause with an exchange that keeps it and the nearest that breaks it."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from made import JSON_HEADERS, answer, outcome_of, stream, verdict_of

from wireproof.clause import Exchange, Trouble

Contract = Callable[[str], ModuleType]
BODY = {"id": "chatcmpl-1", "object": "chat.completion"}
ERROR = {"message": "No.", "type": "invalid_request_error", "param": None, "code": None}
GZIPPED = gzip.compress(b"{}")


def ok(body: Any = BODY, *more: tuple[str, str], **kwargs: Any) -> Exchange:
    return answer(body, headers=(*JSON_HEADERS, *more), **kwargs)


def typed(kind: str | None, body: Any = BODY, **kwargs: Any) -> Exchange:
    return answer(body, headers=(("content-type", kind),) if kind else (), **kwargs)


def refusal(message: str, **kwargs: Any) -> Exchange:
    return ok({"error": {**ERROR, "message": message}}, status=400, **kwargs)


def troubled(kind: str, theirs: bool = True, status: int | None = 200) -> Exchange:
    return answer(b"", status=status, trouble=Trouble(kind, "it broke", theirs))


PYTHON = 'Traceback (most recent call last):\n  File "/srv/app.py", line 3, in handle\nKeyError: 1'
NODE = "TypeError: x\n    at handle (/srv/app/server.js:12:34)\n"
JAVA = "boom\n\tat com.acme.Api.handle(Api.java:42)\n"
KEY = (("authorization", "Bearer sk-made-up-key"),)
MASKED_KEY = (("authorization", "Bearer [redacted-key]"),)

# function, exchange, outcome
CASES: list[tuple[str, Exchange, str]] = [
    ("answer_comes_whole", ok(), "pass"),
    ("answer_comes_whole", troubled("truncated"), "fail"),
    ("answer_comes_whole", troubled("garbage", status=None), "fail"),
    ("answer_comes_whole", troubled("truncated", theirs=False), "inconclusive"),
    ("answer_comes_whole", troubled("unreachable", theirs=False, status=None), "inconclusive"),
    ("answer_comes_whole", troubled("endless"), "pass"),
    ("answer_ends", ok(), "pass"),
    ("answer_ends", troubled("endless"), "fail"),
    ("answer_ends", troubled("oversized"), "fail"),
    ("answer_ends", troubled("timeout", theirs=False), "inconclusive"),
    ("nobody_is_sent_elsewhere", ok(), "pass"),
    ("nobody_is_sent_elsewhere", ok(b"", ("location", "https://elsewhere.example/"), status=307), "fail"),
    ("nobody_is_sent_elsewhere", ok(b"", ("location", "//elsewhere.example/"), status=307), "fail"),
    ("nobody_is_sent_elsewhere", ok(b"", ("location", "/v1/models/"), status=308), "pass"),
    ("nobody_is_sent_elsewhere", ok(b"", ("location", "/v1/chat/completions/"), status=301), "fail"),
    ("nobody_is_sent_elsewhere", ok(b"", ("location", "/v1/models/"), status=301, operation="listModels"), "pass"),
    ("body_is_encoded_as_announced", ok(), "pass"),
    ("body_is_encoded_as_announced", ok(GZIPPED, ("content-encoding", "gzip")), "pass"),
    ("body_is_encoded_as_announced", ok(b"{}", ("content-encoding", "gzip")), "fail"),
    ("body_is_encoded_as_announced", ok(GZIPPED[:-6], ("content-encoding", "gzip")), "fail"),
    ("body_is_encoded_as_announced", ok(b"{}", ("content-encoding", "br")), "fail"),
    ("json_is_utf8", ok({"text": "é🦊"}), "pass"),
    ("json_is_utf8", ok('{"text": "é"}'.encode()), "pass"),
    ("json_is_utf8", ok('{"text": "é"}'.encode("latin-1")), "fail"),
    ("json_is_utf8", typed("application/json; charset=UTF-8"), "pass"),
    ("json_is_utf8", typed('application/json;charset="utf-8"'), "pass"),
    ("json_is_utf8", typed("application/json; charset=us-ascii"), "pass"),
    ("json_is_utf8", typed("application/json; charset=iso-8859-1"), "fail"),
    ("json_is_utf8", typed("audio/mpeg", b"\xff\xfb"), "not-applicable"),
    ("answer_is_json", ok(), "pass"),
    ("answer_is_json", ok(b" {}\n"), "pass"),
    ("answer_is_json", ok(b'{"load": NaN}'), "fail"),
    ("answer_is_json", ok(b'{"load": -Infinity}'), "fail"),
    ("answer_is_json", ok(b"{}{}"), "fail"),
    ("answer_is_json", ok(b""), "fail"),
    ("answer_is_json", ok(b"\xef\xbb\xbf{}"), "fail"),
    ("answer_is_json", ok(b"", operation=None), "not-applicable"),
    ("answer_is_json", stream([BODY]), "not-applicable"),
    ("answer_is_json", ok(b"\x00\xff", operation="downloadFile"), "not-applicable"),
    ("json_is_typed_as_such", typed("application/json; charset=utf-8"), "pass"),
    ("json_is_typed_as_such", typed("Application/JSON"), "pass"),
    ("json_is_typed_as_such", typed("text/plain"), "fail"),
    ("json_is_typed_as_such", typed("application/octet-stream"), "fail"),
    ("json_is_typed_as_such", typed(None), "fail"),
    ("nobody_is_streamed_to_unasked", ok(), "pass"),
    ("nobody_is_streamed_to_unasked", typed("text/event-stream", b"data: {}\n\n"), "fail"),
    ("nobody_is_streamed_to_unasked", typed("application/json", b"data: {}\n\n", asked={"stream": False}), "fail"),
    ("nobody_is_streamed_to_unasked", stream([BODY]), "not-applicable"),
    ("no_key_comes_twice", ok({"a": 1, "b": {"a": 1}}), "pass"),
    ("no_key_comes_twice", ok(b'{"a": 1, "b": {"c": 1, "c": 1}}'), "fail"),
    ("no_key_comes_twice", stream([b'data: {"a": 1, "a": 2}\n\n']), "fail"),
    ("no_key_comes_twice", stream([{"a": 1}, {"a": 2}]), "pass"),
    ("strings_are_unicode", ok(b'{"text": "\\ud83e\\udd8a \\\\ud83e"}'), "pass"),
    ("strings_are_unicode", ok(b'{"text": "\\ud83e"}'), "fail"),
    ("strings_are_unicode", stream([b'data: {"text": "\\ud83e"}\n\n', b'data: {"text": "\\udd8a"}\n\n']), "fail"),
    ("success_is_the_documented_status", ok(), "pass"),
    ("success_is_the_documented_status", ok(status=201), "fail"),
    ("success_is_the_documented_status", ok(status=202), "fail"),
    ("no_stack_is_shown", refusal("Look at line 3 of app.py, at (12:34) in main"), "pass"),
    ("no_stack_is_shown", refusal(PYTHON), "fail"),
    ("no_stack_is_shown", refusal(NODE), "fail"),
    ("no_stack_is_shown", refusal(JAVA), "fail"),
    ("no_stack_is_shown", answer(PYTHON.encode(), status=500), "fail"),
    ("no_stack_is_shown", ok({"choices": [{"message": {"content": PYTHON}}]}), "pass"),
    ("no_stack_is_shown", stream([{"error": {**ERROR, "message": PYTHON}}]), "fail"),
    ("no_stack_is_shown", stream([{"choices": [{"delta": {"content": PYTHON}}]}]), "pass"),
    ("key_is_not_echoed", refusal("Incorrect API key provided: sk-ma***key.", sent_headers=KEY), "pass"),
    ("key_is_not_echoed", refusal("Incorrect API key provided: sk-made-up-key.", sent_headers=KEY), "fail"),
    ("key_is_not_echoed", refusal("Incorrect API key: [redacted-key]", sent_headers=MASKED_KEY), "fail"),
    ("key_is_not_echoed", ok(BODY, ("x-authenticated-as", "[redacted-key]"), sent_headers=MASKED_KEY), "fail"),
    ("key_is_not_echoed", refusal("none", sent_headers=(("authorization", "Bearer none"),)), "pass"),
]


@pytest.mark.parametrize(("clause", "exchange", "outcome"), CASES)
def test_a_clause_tells_kept_from_broken(contract: Contract, clause: str, exchange: Exchange, outcome: str) -> None:
    assert outcome_of(getattr(contract("wire"), clause), exchange) == outcome


def test_a_breach_in_a_stream_names_its_event(contract: Contract) -> None:
    exchange = stream([{"a": 1}, b'data: {"a": 1, "a": 2}\n\n'])
    assert verdict_of(contract("wire").no_key_comes_twice, exchange).findings[0].where.event == 1


def test_a_long_message_is_searched_for_stacks_quickly(contract: Contract) -> None:
    exchange = answer(b"   at " * 200_000, status=500)
    assert outcome_of(contract("wire").no_stack_is_shown, exchange) == "pass"
