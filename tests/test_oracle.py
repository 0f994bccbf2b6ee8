"""The official SDK as a second oracle: silent on what is right and on its own known faults, loud on the rest."""

from __future__ import annotations

import base64
import json
import shutil
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from certified import certified, contents_of_contracts, standin_plan
from made import JSON_HEADERS, answer, stream
from test_legal_variations import VARIATIONS, is_told

from wireproof.certification import report_of
from wireproof.cli import Fail, run
from wireproof.cli.second import need_sdk, with_second_opinion
from wireproof.content import shelf
from wireproof.exchange import Exchange
from wireproof.journal import read_journal
from wireproof.oracle import Disagreement, Known, Opinion, node_opinion, parting, second_opinion
from wireproof.oracle.node import has_node
from wireproof.oracle.replay import Replay
from wireproof.report import rendered
from wireproof.spec import load_spec
from wireproof.standin.wire import Answer, Ask, Serve

CHUNK: dict[str, Any] = {
    "id": "chatcmpl-1",
    "object": "chat.completion.chunk",
    "created": 1_760_000_000,
    "model": "m",
}
REFUSAL = {"error": {"message": "No.", "type": "invalid_request_error", "param": "model", "code": "model_not_found"}}


def chunks(*deltas: dict[str, Any], finish: str = "stop") -> Exchange:
    events = [{**CHUNK, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    events.append({**CHUNK, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    return stream(events)


def call(index: int, **function: str) -> dict[str, Any]:
    given = {"id": f"call_{index}", "type": "function"} if "name" in function else {}
    return {"tool_calls": [{"index": index, **given, "function": function}]}


def kinds(*exchanges: Exchange) -> list[str]:
    return [one.kind for one in second_opinion(exchanges).disagreements]


def test_it_has_nothing_to_say_of_the_stand_in() -> None:
    exchanges = certified().exchanges
    opinion = second_opinion(exchanges)
    assert opinion.disagreements == ()
    assert opinion.replayed > 90
    assert opinion.by.startswith("openai 3.")


@pytest.mark.parametrize(
    "name", ["lines end in CR", "unknown keys everywhere", "choices in any order", "role beside the first content"]
)
def test_legal_variations_are_the_same_to_it(name: str) -> None:
    """Every one of them was tried by hand; these are the ones most likely to part the two readings."""

    def vary(ask: Ask, serve: Serve) -> Answer:
        answer = serve(ask)
        return VARIATIONS[name](answer) if is_told(answer) else answer

    varied = certified(vary=vary, plan=standin_plan(profiles=("core",)))
    assert second_opinion(varied.exchanges).disagreements == ()


def test_streams_are_joined_as_we_join_them() -> None:
    said = chunks({"role": "assistant", "content": ""}, {"content": "Ja"}, {"content": "wohl"}, finish="length")
    called = chunks(call(0, name="f", arguments=""), call(0, arguments='{"a"'), call(1, name="g", arguments="{}"))
    assert kinds(said, called) == []


def test_a_response_is_the_one_that_its_stream_completes() -> None:
    whole = next(e for e in certified().exchanges if e.probe == "responses.stored-stream")
    final = Replay(load_spec()).reading(whole).final
    assert final["output"][0]["content"][0]["text"]
    assert kinds(whole) == []


def test_the_messages_of_a_run_are_those_that_its_stream_makes() -> None:
    run = next(e for e in certified().exchanges if e.operation == "createThreadAndRun")
    (message,) = Replay(load_spec()).reading(run).final
    assert message["content"][0]["text"]["value"]
    assert kinds(run) == []


def test_a_piece_of_no_message_stops_the_client() -> None:
    piece = {"index": 0, "type": "text", "text": {"value": "Hello"}}
    delta = {"id": "msg_1", "object": "thread.message.delta", "delta": {"content": [piece]}}
    events = [b"event: thread.message.delta\ndata: " + json.dumps(delta).encode() + b"\n\n",
              b"event: done\ndata: [DONE]\n\n"]  # fmt: skip
    told = stream(events, operation="createRun", done=False)
    assert kinds(told) == ["breaks"]


def test_calls_that_share_an_index_are_read_otherwise() -> None:
    first, second = call(0, name="f", arguments="{}"), call(0, name="g", arguments="{}")
    second["tool_calls"][0]["id"] = "call_1"
    (one,) = second_opinion([chunks(first, second)]).disagreements
    assert (one.kind, one.at) == ("differs", "/choices/0/message/tool_calls")


def test_what_the_types_do_not_take_is_refused_with_its_place() -> None:
    body = {"object": "list", "data": [{"id": "m", "object": "model", "created": "yesterday", "owned_by": "me"}]}
    (one,) = second_opinion([answer(body, operation="listModels")]).disagreements
    assert (one.kind, one.at) == ("refuses", "/data/0/created")
    assert "integer" in one.sdk


def test_a_union_is_refused_by_the_member_that_was_meant() -> None:
    whole = next(e for e in certified().exchanges if e.probe == "responses.plain")
    body = json.loads(whole.body)
    del body["output"][0]["content"][0]["annotations"]
    torn = replace(whole, chunks=(replace(whole.chunks[0], data=json.dumps(body).encode()),))
    (one,) = second_opinion([torn]).disagreements
    assert (one.kind, one.at, one.sdk) == ("refuses", "/output/0/content/0/annotations", "Field required")


def test_what_nobody_can_decode_is_no_crash() -> None:
    coded = answer(b"\x8b\x00", operation="createEmbedding", headers=(*JSON_HEADERS, ("content-encoding", "br")))
    html = answer(b"<p>", operation="createEmbedding")
    assert {one.kind for one in second_opinion([coded, html]).disagreements} <= {"breaks", "refuses"}


def test_what_stops_every_client_is_told_as_such() -> None:
    assert kinds(stream([b"data: {half\n\n"])) == ["breaks"]


def test_an_error_amid_a_stream_is_one_for_both() -> None:
    assert kinds(stream([{**CHUNK, "choices": []}, REFUSAL])) == []


def test_vectors_are_decoded_as_we_decode_them() -> None:
    numbers = [0.25, -0.5, 1.0]
    packed = base64.b64encode(struct.pack("<3f", *numbers)).decode()
    for vector in (numbers, packed):
        body = {
            "object": "list",
            "data": [{"object": "embedding", "index": 0, "embedding": vector}],
            "model": "m",
            "usage": {"prompt_tokens": 1, "total_tokens": 1},
        }
        asked = {"input": "a", "encoding_format": "float" if vector is numbers else "base64"}
        assert kinds(answer(body, operation="createEmbedding", asked=asked)) == []


def test_a_last_page_without_has_more_would_be_asked_for_ever() -> None:
    row = {"id": "file-1", "object": "file", "bytes": 1, "created_at": 1, "filename": "a", "purpose": "batch"}
    row["status"] = "processed"
    page = {"object": "list", "data": [row], "first_id": "file-1", "last_id": "file-1"}
    (one,) = second_opinion([answer(page, operation="listFiles")]).disagreements
    assert (one.kind, one.at, one.sdk, one.ours) == ("differs", "next page after", "file-1", "null")
    assert kinds(answer({**page, "has_more": False}, operation="listFiles")) == []
    assert kinds(answer({**page, "has_more": True}, operation="listFiles")) == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 429, 418, 500, 503])
def test_refusals_are_the_same_exception_for_both(status: int) -> None:
    headers = (*JSON_HEADERS, ("retry-after", "1"), ("x-ratelimit-remaining-requests", "0"))
    assert kinds(answer(REFUSAL, status=status, headers=headers)) == []
    assert kinds(answer(b"<html>", status=status, headers=(("content-type", "text/html"),))) == []


def test_a_limit_told_twice_reads_as_none() -> None:
    twice = (*JSON_HEADERS, ("x-ratelimit-limit-requests", "3"), ("x-ratelimit-limit-requests", "3"))
    (one,) = second_opinion([answer(REFUSAL, status=429, headers=twice)]).disagreements
    assert (one.at, one.sdk, one.ours) == ("x-ratelimit-limit-requests", "3, 3", "3")


def test_a_finding_of_ours_is_no_disagreement() -> None:
    broken = stream([b"data: {half\n\n"])
    assert kinds(broken) == ["breaks"]
    assert second_opinion([broken], {broken.id: [""]}).disagreements == ()
    odd = answer(
        {"object": "list", "data": [{"id": "m", "object": "model", "created": "noon"}]}, operation="listModels"
    )
    for place, left in (("/data/0/created", 1), ("/data", 0), ("/object", 2)):
        assert len(second_opinion([odd], {odd.id: [place]}).disagreements) == left


def test_what_it_cannot_read_is_passed_over_and_counted() -> None:
    unknown = answer({}, operation=None)
    opinion = second_opinion([unknown, replace(unknown, status=None)])
    assert (opinion.replayed, opinion.passed_over) == (0, 2)


def test_what_is_known_of_the_sdk_has_a_reason_and_its_row_alone() -> None:
    rows = load_spec().catalogue("sdk")["known"]
    assert all(row["why"] for row in rows)
    known = Known(rows)
    null = Disagreement("made", "refuses", "/choices/3/finish_reason", "Input should be 'stop'", "")
    assert known.holds("createCompletion", null)
    assert not known.holds("createChatCompletion", null)
    assert not known.holds("createCompletion", replace(null, kind="breaks"))


@pytest.mark.parametrize(
    ("ours", "theirs", "place"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, None),
        ({"a": None, "b": ""}, {}, None),
        ({"a": [1, 2]}, {"a": [1, 3]}, "/a/1"),
        ({"a": [1]}, {"a": [1, 2]}, "/a"),
        ({"a": False}, {}, "/a"),
    ],
)
def test_parting_finds_the_first_place_where_the_readings_part(ours: Any, theirs: Any, place: str | None) -> None:
    found = parting(ours, theirs)
    assert (found and found[0]) == place


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal of the stand-in with one answer that only the SDK minds."""
    out = tmp_path_factory.mktemp("sdk")
    assert run(["certify", "--only", "models", "--out", str(out)]) == 0
    return out


def test_the_command_line_asks_it_and_no_verdict_moves(judged: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["judge", str(judged / "journal.jsonl"), "--sdk", "--out", str(judged)]) == 0
    assert "recorded answers as well: no disagreement." in capsys.readouterr().out
    assert "## The official SDK agrees" in (judged / "report.md").read_text()


def test_reports_tell_of_it_in_a_section_of_its_own(judged: Path) -> None:
    one = Disagreement("models.list", "refuses", "/data/0/created", "no integer <b>", "no clause found a fault")
    report = report_of(read_journal(judged / "journal.jsonl"), contents_of_contracts()[0])
    texts = rendered(replace(report, opinions=[Opinion("openai 3 for Python", 4, 0, (one,))]))
    told = json.loads(texts["verdicts.json"])
    jsonschema.validate(told, json.loads((shelf("reports") / "schemas" / "verdicts.schema.json").read_text()))
    assert told["oracle"] == [
        {
            "by": "openai 3 for Python",
            "exchange": one.exchange,
            "kind": one.kind,
            "at": one.at,
            "sdk": one.sdk,
            "ours": one.ours,
        }
    ]
    assert told["notes"] == ["openai 3 for Python read 4 recorded answers as well: 1 disagreement."]
    for name in ("report.md", "report.html"):
        assert "The official SDK disagrees" in texts[name]
        assert "<b>" not in texts[name].partition("no integer")[2][:20]
    assert with_second_opinion(report, wanted=False).opinions == ()


def test_without_the_sdk_the_command_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wireproof.spec_coverage.installed_sdk", lambda: None)
    with pytest.raises(Fail, match=r"pip install 'wireproof\[sdk\]'"):
        need_sdk(True)
    need_sdk(False)


STUB = """
class BadRequestError extends Error {
  constructor(body) { super("400"); Object.assign(this, body.error); this.error = body.error; }
}
class OpenAI {
  constructor({ fetch }) {
    this.fetch = fetch;
    this.models = { list: async () => ({ ...(await (await fetch()).json()), hasNextPage: () => true,
      nextPageRequestOptions: () => ({ query: { after: "m" } }) }) };
    this.embeddings = { create: async (given) => {
      if (given.encoding_format) throw new TypeError("asked");
    } };
  }
  async post() { throw new BadRequestError(await (await this.fetch()).json()); }
}
module.exports = { OpenAI };
"""


@pytest.fixture
def with_stub(tmp_path: Path) -> Path:
    """A folder with a package `openai` of three methods, some of them odd."""
    package = tmp_path / "node_modules" / "openai"
    package.mkdir(parents=True)
    (package / "index.js").write_text(STUB)
    (package / "version.js").write_text("exports.VERSION = '0.1';")
    return tmp_path


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no node")
def test_the_node_sdk_is_asked_where_it_is(with_stub: Path) -> None:
    assert has_node(with_stub)
    exchanges = [
        answer(REFUSAL, status=400, probe="refused"),
        answer({"object": "list", "data": []}, operation="listModels", probe="listed"),
        answer({}, operation="createEmbedding", asked={"encoding_format": "float"}, probe="embedded"),
        answer({}, operation="createChatCompletion", probe="unread"),
    ]
    opinion = node_opinion(exchanges, folder=with_stub)
    assert (opinion.by, opinion.replayed, opinion.passed_over) == ("openai 0.1 for Node", 3, 1)
    assert [(one.exchange, one.kind, one.sdk) for one in opinion.disagreements] == [
        ("listed", "differs", "m"),
        ("embedded", "breaks", "TypeError: asked"),
    ]


def test_without_the_package_the_node_sdk_is_not_asked(tmp_path: Path) -> None:
    assert not has_node(tmp_path)
