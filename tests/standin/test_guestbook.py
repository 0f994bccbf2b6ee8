"""What clients sent, as a journal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from standin.asking import CHAT, ask, backend, user
from standin.talking import GET, talk

from wireproof.certification import load_contracts, report_of
from wireproof.journal import Run, read_journal
from wireproof.standin.backend import Backend
from wireproof.standin.guestbook import Guestbook
from wireproof.standin.wire import Answer, Ask, Frame, Serve

BASE_URL = "http://127.0.0.1:8000/v1"
KEY = "sk-standin"
WRONG_KEY = "sk-somebody-elses-0123456789"


def on_the_wire(asked: Ask, *, key: str = KEY) -> bytes:
    lines = [f"{asked.method} {asked.path} HTTP/1.1", f"authorization: Bearer {key}", "content-type: application/json"]
    return "\r\n".join([*lines, f"content-length: {len(asked.body)}", "", ""]).encode() + asked.body


def recorded(path: Path, serve: Serve | Answer, *asked: bytes, leaves: bool = False) -> Run:
    book = Guestbook(path, BASE_URL, [KEY])
    leave = (lambda guest, _wire: guest.connection_lost(None)) if leaves else (lambda _guest, _wire: None)
    talk(serve, *asked, then=leave, books=[book])
    book.close()
    return read_journal(path)


def hello(**fields: object) -> bytes:
    return on_the_wire(ask("POST", "/chat/completions", {"model": CHAT, "messages": user("Hello"), **fields}))


def test_what_was_sent_and_answered_is_read_back(tmp_path: Path) -> None:
    run = recorded(tmp_path / "j.jsonl", backend().answer, hello(max_tokens=3), hello(stream=True))
    plain, streamed = run.exchanges
    assert (plain.id, plain.operation, plain.status) == ("client.1", "createChatCompletion", 200)
    assert (plain.request.path, plain.request.asked["max_tokens"]) == ("/chat/completions", 3)
    assert plain.json["object"] == "chat.completion"
    assert plain.headers_at_s is not None
    assert plain.started_unix > 1_700_000_000
    assert streamed.events[-1].data == "[DONE]"
    assert len(streamed.chunks) == len(streamed.events)
    assert run.footer is not None
    assert run.footer["spend"]["calls"] == 2


def test_a_recording_is_judged_as_any_journal(tmp_path: Path) -> None:
    run = recorded(tmp_path / "j.jsonl", Backend().answer, hello(), hello(stream=True))
    report = report_of(run, load_contracts()[0])
    ends = {verdict.clause.id: verdict.outcome for verdict in report.verdicts}
    assert set(ends.values()) == {"pass", "not-applicable"}
    assert len([end for end in ends.values() if end == "pass"]) > 50
    assert report.complete


@pytest.mark.parametrize("key", [KEY, WRONG_KEY])
def test_no_key_is_written_down(tmp_path: Path, key: str) -> None:
    body = {"model": CHAT, "messages": user(f"Reply with: {key}")}
    raw = on_the_wire(ask("POST", "/chat/completions", body), key=key)
    raw = raw.replace(b"\r\n", b"\r\napi-key: topsecret\r\ncookie: session=topsecret\r\n", 1)
    recorded(tmp_path / "j.jsonl", backend().answer, raw.replace(b"completions ", b"completions?api_key=topsecret ", 1))
    text = (tmp_path / "j.jsonl").read_text()
    assert key not in text
    assert "topsecret" not in text
    assert text.count("[redacted-key]") >= 4


def test_who_left_early_and_what_was_cut_are_told_apart(tmp_path: Path) -> None:
    waiting = Answer(frames=[Frame(0, b"data: {}\n\n"), Frame(60_000, b"data: {}\n\n")])
    (left,) = recorded(tmp_path / "left.jsonl", waiting, GET, leaves=True).exchanges
    (cut,) = recorded(tmp_path / "cut.jsonl", Answer(frames=[Frame(0, b"data")], cut=True), GET).exchanges
    assert left.trouble is not None
    assert cut.trouble is not None
    assert (left.trouble.theirs, cut.trouble.theirs) == (False, True)
    assert left.wire == b"data: {}\n\n"


def test_what_was_under_way_at_the_end_is_told_as_lost(tmp_path: Path) -> None:
    run = recorded(tmp_path / "j.jsonl", Answer(frames=[Frame(60_000, b"data: {}\n\n")]), GET)
    assert run.exchanges == ()
    assert run.lost == (("client.1", 0, 1),)


def test_each_exchange_is_in_the_file_when_its_answer_is_out(tmp_path: Path) -> None:
    book = Guestbook(tmp_path / "j.jsonl", BASE_URL, [KEY])
    talk(backend().answer, hello(), books=[book])
    lines = [json.loads(line)["type"] for line in (tmp_path / "j.jsonl").read_text().splitlines()]
    assert lines == ["header", "sent", "exchange"]
    book.close()


def test_an_earlier_recording_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "j.jsonl").write_text("evidence")
    with pytest.raises(FileExistsError):
        Guestbook(tmp_path / "j.jsonl", BASE_URL, [KEY])
