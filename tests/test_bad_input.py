"""Whatever a user types or a backend sends: one clear line, the right exit code, no traceback."""

from __future__ import annotations

import gzip
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from hostile import Speak, hostile, whole

from wireproof.clause import Trouble
from wireproof.cli import run
from wireproof.journal import Journal, read_journal

MEBIBYTE = b"x" * 1024 * 1024
CHUNK = b"100000\r\n" + MEBIBYTE + b"\r\n"
HTML = whole(b"<html><body><h1>502 Bad Gateway</h1></body></html>", "text/html")
NOT_UTF8 = whole(b'{"object": "list", "data": [{"id": "\xff\xfe"}]}')


def ended(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """The exit code of a command line, and its stderr."""
    code = run(list(arguments))
    return code, capsys.readouterr().err


def certify(base_url: str, out: Path, *more: str) -> int:
    return run(
        [
            "certify",
            "--base-url",
            base_url,
            "--model",
            "m",
            "--only",
            "wire",
            "--only",
            "models",
            "--out",
            str(out),
            "--budget",
            "calls=4",
            *more,
        ]
    )


def findings(out: Path) -> dict[str, str]:
    """What was got, by clause."""
    told = json.loads((out / "verdicts.json").read_text())
    return {clause["id"]: clause["findings"][0]["got"] for clause in told["clauses"] if clause["findings"]}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["certify", "--nonsense"], "--nonsense"),
        (["nonsense"], "nonsense"),
        (["judge", "no-such-file.jsonl"], "no-such-file.jsonl"),
        (["explain", "chat.nonsense"], "no clause is called 'chat.nonsense'"),
        (["certify", "--base-url", "not a url"], "expected a URL such as"),
        (["certify", "--base-url", "http://user:pw@127.0.0.1/v1"], "expected no credentials"),
        (["certify", "--base-url", "http://:pw@127.0.0.1/v1"], "expected no credentials"),
        (["certify", "--budget", "calls=many"], "expected calls=N"),
        (["certify", "--model-for", "poetry=x"], "expected one of image"),
        (["certify", "--only", "no.such.*"], "no clause matches"),
        (["certify", "--fault", "no-such-fault"], "no-such-fault"),
        (["certify", "--base-url", "http://127.0.0.1:1/v1", "--model", "m", "--fault", "x"], "expected no --base-url"),
        (["plan", "--base-url", "http://127.0.0.1:1/v1"], "--model: expected"),
        (["load", "no-such-profile"], "no-such-profile"),
        (["serve", "--fault", "no-such-fault"], "no-such-fault"),
        (["serve", "--tier", "tier-9"], "tier-9"),
    ],
    ids=lambda value: " ".join(value[:3]) if isinstance(value, list) else "",
)
def test_a_wrong_command_is_one_line_and_exit_2(
    arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, line = ended(capsys, *arguments)
    assert code == 2
    assert said in line
    assert line.count("\n") == 1, line


def test_no_command_at_all_is_the_help_and_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    code, said = ended(capsys)
    assert code == 2
    assert "\n  certify  " in said


@pytest.mark.parametrize("key", ["sk-\x01-control", "sk-\x7f", "sk with spaces", "sk-\u00fc"])
def test_a_key_that_no_header_can_hold_is_one_line_without_it(
    key: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)
    code, line = ended(capsys, "certify", "--base-url", "http://127.0.0.1:1/v1", "--model", "m", "--out", str(tmp_path))
    assert code == 2
    assert "OPENAI_API_KEY: expected a key of printable ASCII characters" in line
    assert key not in line


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journal = tmp_path / "journal.jsonl"
    with Journal(journal) as writing:
        writing.header({"target": {"base_url": "http://t/v1"}, "started": "", "only": ["models.list"]}, [])
    code, line = ended(capsys, "judge", str(journal), "--out", str(journal / "below"))
    assert code == 2
    assert "Not a directory" in line
    assert line.count("\n") == 1, line


COMMAND = [sys.executable, "-m", "wireproof"]
BROKEN = ["certify", "--cases", "0", "--only", "embeddings.base64", "--fault", "embeddings.base64-ignored"]


def test_a_verdict_that_nobody_reads_is_still_the_exit_code(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    ended = subprocess.run([*COMMAND, *BROKEN, "--out", str(tmp_path)], stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert (ended.returncode, ended.stderr) == (1, "")
    assert (tmp_path / "report.html").exists()


def test_a_console_that_knows_no_check_mark_is_told_in_question_marks(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252"}
    ended = subprocess.run([*COMMAND, *BROKEN, "--out", str(tmp_path)], env=environment, capture_output=True)
    assert ended.returncode == 1, ended.stderr
    assert b"? embeddings" in ended.stdout


def test_a_malformed_profile_is_one_line_that_names_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    profile = tmp_path / "torn.yaml"
    profile.write_text("arrivals: {users: [1\nmix: :")
    code, line = ended(capsys, "load", str(profile))
    assert code == 2
    assert "torn.yaml" in line
    assert line.count("\n") == 1, line


def test_a_file_that_is_no_journal_is_named_with_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "torn.jsonl").write_text("not a journal\n")
    code, line = ended(capsys, "judge", str(tmp_path / "torn.jsonl"))
    assert code == 2
    assert "torn.jsonl, line 1: expected a line of a wireproof journal" in line


def test_nobody_at_the_target_is_exit_4(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    code, line = ended(
        capsys, "certify", "--base-url", f"http://127.0.0.1:{port}/v1", "--model", "m", "--out", str(tmp_path)
    )
    assert code == 4
    assert f"127.0.0.1:{port} refused the connection" in line
    code, line = ended(capsys, "certify", "--base-url", f"http://127.0.0.1:{port}/v1", "--out", str(tmp_path))
    assert code == 4


def test_a_refused_key_is_one_line_that_names_its_variable(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", "sk-not-the-right-one")
    refused = whole(b'{"error": {"message": "bad key"}}', "application/json", "401 Unauthorized")
    with hostile(lambda connection, _: connection.sendall(refused)) as base_url:
        code, line = ended(
            capsys, "certify", "--base-url", base_url, "--model", "m", "--api-key-env", "MY_KEY", "--out", str(tmp_path)
        )
        assert code == 2
        assert "expected the target to take the key in MY_KEY" in line
        assert "sk-not-the-right-one" not in line
        code, line = ended(
            capsys, "certify", "--base-url", base_url, "--api-key-env", "MY_KEY", "--out", str(tmp_path)
        )  # already the search for a model is refused
    assert code == 2
    assert "expected the target to take the key in MY_KEY; the target answered 401 to /models" in line


def test_several_models_to_choose_from_are_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    models = whole(json.dumps({"object": "list", "data": [{"id": "a"}, {"id": "b"}]}).encode())
    with hostile(lambda connection, _: connection.sendall(models)) as base_url:
        code, line = ended(capsys, "certify", "--base-url", base_url, "--out", str(tmp_path))
    assert code == 2
    assert "--model: expected the id of a chat model, because GET /models lists a, b" in line


def endless(connection: socket.socket, request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
    for _ in range(10 * 1024):  # 10 GiB, if anybody listened
        connection.sendall(CHUNK)


def bomb(connection: socket.socket, request: bytes) -> None:
    data = gzip.compress(b"\0" * 64 * 1024 * 1024, 9)
    connection.sendall(whole(data, "application/json", "200 OK", "content-encoding: gzip"))


def torn(connection: socket.socket, request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{")


@pytest.mark.parametrize(
    "speak",
    [endless, bomb, lambda connection, _: connection.sendall(whole(b"[" * 100_000))],
    ids=["endless", "bomb", "deep"],
)
def test_a_list_of_models_that_is_none_does_not_end_in_a_traceback(
    speak: Speak, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with hostile(speak) as base_url:
        code, line = ended(capsys, "certify", "--base-url", base_url, "--out", str(tmp_path))
    assert code == 2
    assert line == "wireproof: --model: expected the id of a chat model, because none is listed\n"


def test_no_proxy_stands_before_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:1")
    for variable in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(variable, raising=False)
    assert run(["certify", "--cases", "0", "--only", "models", "--out", str(tmp_path)]) == 0


@pytest.mark.parametrize(
    ("speak", "clause", "got"),
    [
        (lambda connection, _: connection.sendall(HTML), "wire.json", "<html"),
        (endless, "wire.ends", "larger than 8,388,608 bytes"),
        (bomb, "wire.encoding", "a bomb"),
        (lambda connection, _: connection.sendall(NOT_UTF8), "wire.utf8", "0xff"),
        (torn, "wire.complete", "after 1 bytes"),
        (lambda connection, _: connection.sendall(b"\x16\x03\x01garbage\r\n\r\n"), "wire.complete", "not HTTP"),
        (lambda connection, _: connection.close(), "wire.complete", "before an answer came"),
    ],
    ids=["html", "endless stream", "gzip bomb", "not utf-8", "torn", "garbage", "hung up"],
)
def test_a_broken_answer_is_a_finding_and_exit_1(speak: Speak, clause: str, got: str, tmp_path: Path) -> None:
    with hostile(speak) as base_url:
        assert certify(base_url, tmp_path) == 1
    assert got in findings(tmp_path).get(clause, ""), findings(tmp_path)


def test_the_key_does_not_follow_a_redirect_to_another_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []
    monkeypatch.setenv("OPENAI_API_KEY", "sk-must-stay-at-home")
    with hostile(lambda connection, request: seen.append(request)) as elsewhere:
        away = whole(b"", "text/plain", "307 Temporary Redirect", f"location: {elsewhere}/models")
        with hostile(lambda connection, _: connection.sendall(away)) as base_url:
            assert certify(base_url, tmp_path) == 1
    assert seen == []


def test_a_timeout_cannot_be_told_from_a_slow_model(tmp_path: Path) -> None:
    def silent(connection: socket.socket, request: bytes) -> None:
        connection.recv(1)

    with hostile(silent) as base_url:
        assert certify(base_url, tmp_path, "--timeout", "1") == 3
    troubles = {exchange.trouble for exchange in read_journal(tmp_path / "journal.jsonl").exchanges}
    assert troubles == {Trouble("timeout", "no byte for 1 s", theirs=False)}


def test_a_fault_of_our_own_is_no_verdict(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    import click

    import wireproof.cli as cli

    @click.command()
    def command() -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(cli.group, "get_command", lambda ctx, name: command)
    with pytest.raises(SystemExit) as left:
        cli.main(["certify"])
    assert left.value.code == 3
    assert "a fault of wireproof, not of the target" in capsys.readouterr().err
