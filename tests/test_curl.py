"""The command that sends a recorded request again."""

from __future__ import annotations

import shlex

from made import answer

from wireproof.clause import Exchange, File, form
from wireproof.report import curl

KEY = (("authorization", "Bearer [redacted-key]"),)


def sent(body: bytes, kind: str) -> Exchange:
    headers = (*KEY, ("content-type", kind))
    return answer({}, asked=body, path="/audio/transcriptions", sent_headers=headers, probe="made.form")


def test_json_is_sent_as_it_was() -> None:
    words = shlex.split(curl(sent(b'{"input": "it\'s"}', "application/json"), "http://host/v1"))
    assert words[-2:] == ["--data-raw", '{"input": "it\'s"}']
    assert "content-type: application/json" in words


def test_a_form_is_told_field_by_field_and_its_files_by_name() -> None:
    call = form("/x", [("model", "whisper-1"), ("prompt", "@a <b>"), ("file", File("hum.wav", b"\0\xff", "audio/wav"))])
    told = curl(sent(call.body, call.headers["content-type"]), "http://host/v1")
    words = shlex.split(told, comments=True)
    assert words[-6:] == ["--form-string", "model=whisper-1", "--form-string", "prompt=@a <b>", "-F",
                          "file=@hum.wav;type=audio/wav"]  # fmt: skip
    assert not any(word.startswith("content-type") for word in words)  # curl makes a boundary of its own
    assert told.endswith("# hum.wav as in the body of made.form in the journal")


def test_a_form_that_cannot_be_read_is_sent_as_it_was() -> None:
    told = curl(sent(b"no parts", "multipart/form-data; boundary=x"), "http://host/v1")
    assert shlex.split(told)[-2:] == ["--data-raw", "no parts"]
    assert "multipart/form-data; boundary=x" in told
