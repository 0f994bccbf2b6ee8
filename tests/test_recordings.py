"""What others recorded is judged like our own: no finding on a correct backend, the same one on a broken one."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from certified import certified, contents_of_contracts, standin_plan
from made import answer
from recorded import HOST, KEY, har, mitmproxy, vcr

from wireproof.certification import report_of
from wireproof.cli import run
from wireproof.exchange import Exchange
from wireproof.journal import BadJournal, Run
from wireproof.recordings import BadRecording, read_recording
from wireproof.report import rendered

Writer = Callable[[Iterable[Exchange]], str | bytes]
FORMATS: dict[str, tuple[str, Writer]] = {
    "har": ("traffic.har", har),
    "vcr": ("cassette.yaml", vcr),
    "mitmproxy": ("dump.mitm", mitmproxy),
}


def written(folder: Path, name: str, exchanges: Iterable[Exchange]) -> Path:
    file, write = FORMATS[name]
    content = write(exchanges)
    (folder / file).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder / file


@pytest.fixture(params=FORMATS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def judged(run: Run) -> dict[str, str]:
    report = report_of(run, contents_of_contracts()[0])
    return {verdict.clause.id: verdict.outcome for verdict in report.verdicts}


def test_traffic_of_a_correct_backend_raises_no_finding(kind: str, tmp_path: Path) -> None:
    read = read_recording(written(tmp_path, kind, certified().exchanges))
    outcomes = judged(read)
    assert {id for id, outcome in outcomes.items() if outcome in ("fail", "inconclusive")} == set()
    assert sum(outcome == "pass" for outcome in outcomes.values()) > 100
    assert read.header["target"]["base_url"] == HOST


def test_traffic_of_a_broken_backend_shows_the_same_breach(kind: str, tmp_path: Path) -> None:
    outcomes = judged(read_recording(written(tmp_path, kind, certified("chat.stream.usage-early").exchanges)))
    assert {id for id, outcome in outcomes.items() if outcome == "fail"} == {"chat.stream.usage-last"}


def test_what_a_recording_does_not_tell_is_not_judged(kind: str, tmp_path: Path) -> None:
    run = read_recording(written(tmp_path, kind, certified().exchanges))
    verdicts = {v.clause.id: v for v in report_of(run, contents_of_contracts()[0]).verdicts}
    assert verdicts["sse.incremental"].outcome == "not-applicable"
    assert verdicts["sse.incremental"].reason == "the recording does not tell when each chunk came"
    assert verdicts["ratelimit.falls"].outcome == "not-applicable"
    assert (verdicts["chat.created"].outcome == "not-applicable") == (kind == "vcr")


def test_no_key_comes_in(kind: str, tmp_path: Path) -> None:
    run = read_recording(written(tmp_path, kind, certified().exchanges))
    texts = rendered(report_of(run, contents_of_contracts()[0]))
    assert all(KEY not in text for text in texts.values())
    assert all(KEY not in str(exchange.request.headers) for exchange in run.exchanges)


def test_requests_of_something_else_are_left_out_and_counted(tmp_path: Path) -> None:
    other = replace(answer({}), request=replace(answer({}).request, path="/page.html", method="GET"))
    run = read_recording(written(tmp_path, "har", [*certified().exchanges[:3], other]))
    assert (len(run.exchanges), run.header["left_out"]) == (3, 1)
    with pytest.raises(BadRecording, match="found none among 1"):
        read_recording(written(tmp_path, "har", [other]))


def test_a_compressed_answer_reads_as_what_it_holds(tmp_path: Path) -> None:
    plain = next(e for e in certified().exchanges if e.probe == "chat.plain")
    packed = replace(
        plain,
        headers=(*plain.headers, ("content-encoding", "gzip")),
        chunks=(replace(plain.chunks[0], data=gzip.compress(plain.wire)),),
    )
    (read,) = read_recording(written(tmp_path, "mitmproxy", [packed])).exchanges
    assert read.json == plain.json
    assert read.header("content-encoding") is None


def test_a_torn_dump_keeps_what_is_whole(tmp_path: Path) -> None:
    file = written(tmp_path, "mitmproxy", certified().exchanges[:2])
    file.write_bytes(file.read_bytes()[:-5])
    assert len(read_recording(file).exchanges) == 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.har", b"{"),
        ("a.har", b'{"log": {"entries": [{}]}}'),
        ("a.yaml", b"interactions: 3"),
        ("a.yaml", b"interactions: [{request: {}}]"),
        ("a.mitm", b"12:not a flow at all}"),
        ("a.mitm", b"4:null~" * 3),
    ],
)
def test_a_file_that_is_no_recording_is_refused_in_one_line(
    name: str, content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises((BadRecording, BadJournal)):
        read_recording(tmp_path / name)
    assert run(["judge", str(tmp_path / name)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_command_judges_a_recording(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, "har", certified("chat.stream.usage-early").exchanges)
    assert run(["judge", str(file), "--out", str(tmp_path / "out")]) == 1
    told = json.loads((tmp_path / "out" / "verdicts.json").read_text())
    assert told["target"] == {"base_url": HOST, "recording": "traffic.har"}
    assert "chat.stream.usage-last" in capsys.readouterr().out


# ---- WebSockets


def talks(*faults: str) -> list[Exchange]:
    plan = standin_plan(profiles=["realtime"])
    return [exchange for exchange in certified(*faults, plan=plan).exchanges if exchange.socket]


def test_what_a_browser_saved_of_a_socket_is_judged(tmp_path: Path) -> None:
    read = read_recording(written(tmp_path, "har", talks()))
    outcomes = {id: outcome for id, outcome in judged(read).items() if id.startswith("realtime.")}
    assert set(outcomes.values()) == {"pass", "not-applicable"}
    told = {id for id, outcome in outcomes.items() if outcome == "pass"}
    assert {
        "realtime.events.schema",
        "realtime.responses.fold",
        "realtime.responses.life",
        "realtime.items.once",
    } <= told
    assert read.header["target"]["base_url"] == HOST


def test_what_was_broken_on_a_socket_is_seen(tmp_path: Path) -> None:
    read = read_recording(written(tmp_path, "har", talks("realtime.piece-lost")))
    assert {id for id, outcome in judged(read).items() if outcome == "fail"} == {"realtime.responses.fold"}


def test_without_its_messages_a_socket_is_not_judged(tmp_path: Path) -> None:
    read = read_recording(written(tmp_path, "vcr", talks()))
    outcomes = {outcome for id, outcome in judged(read).items() if id.startswith("realtime.")}
    assert outcomes == {"not-applicable"}


def test_a_key_in_the_name_of_a_protocol_is_hidden(tmp_path: Path) -> None:
    exchange = next(one for one in talks() if one.probe == "realtime.protocol")
    assert exchange.socket is not None
    secret, names = "sk-looks-fake-too", "realtime, openai-insecure-api-key.sk-looks-fake-too"
    headers = tuple(
        (name, names if name == "sec-websocket-protocol" else value) for name, value in exchange.request.headers
    )
    first = exchange.socket.messages[0]
    said = replace(first, data=json.dumps({"type": "echo", "it": secret}).encode())
    leaky = replace(
        exchange,
        request=replace(exchange.request, headers=headers),
        socket=replace(exchange.socket, messages=(first, said, replace(said, data=b"\xff", is_text=False))),
    )
    kept = read_recording(written(tmp_path, "har", [leaky])).exchanges[0]
    assert kept.socket is not None and kept.socket.messages[2].data == b"\xff"
    assert secret not in str(kept) and "openai-insecure-api-key." in str(kept.request.headers)


RUBY = """---
http_interactions:
- request:
    method: post
    uri: https://host/v1/chat/completions
    body: {encoding: UTF-8, string: '{"model": "m", "messages": [{"role": "user", "content": "Hi"}]}'}
    headers: {Content-Type: [application/json]}
  response:
    status: {code: 200, message: OK}
    headers: {Content-Type: [application/json], X-Request-Id: [<X_REQUEST_ID>]}
    body:
      encoding: ASCII-8BIT
      string: !binary |-
        eyJpZCI6ICJjaGF0Y21wbC0xIn0=
  recorded_at: Thu, 13 Aug 2026 10:11:52 GMT
"""


def test_bytes_as_ruby_writes_them_are_read(tmp_path: Path) -> None:
    (tmp_path / "cassette.yml").write_text(RUBY, encoding="utf-8")
    (exchange,) = read_recording(tmp_path / "cassette.yml").exchanges
    assert exchange.json == {"id": "chatcmpl-1"}


def test_a_word_in_the_place_of_every_request_id_is_no_repetition(tmp_path: Path) -> None:
    head, one = RUBY.split("- request", 1)
    (tmp_path / "cassette.yml").write_text(f"{head}- request{one}- request{one}", encoding="utf-8")
    outcomes = judged(read_recording(tmp_path / "cassette.yml"))
    assert outcomes["wire.request-id-unique"] == "not-applicable"
