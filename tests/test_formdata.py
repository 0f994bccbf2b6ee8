"""Forms as they were sent: their fields and files."""

from __future__ import annotations

from wireproof.clause import File, form
from wireproof.exchange import Request
from wireproof.formdata import Part


def sent(*fields: tuple[str, str | File]) -> Request:
    call = form("/images/edits", fields)
    return Request(call.method, call.path, {}, tuple(call.headers.items()), call.body)


def test_fields_are_read_as_what_they_mean() -> None:
    request = sent(("n", "2"), ("stream", "true"), ("quality", "low"), ("input", ""), ("temperature", "0.5"))
    assert request.fields == {"n": 2, "stream": True, "quality": "low", "input": "", "temperature": "0.5"}


def test_a_field_that_comes_again_or_has_brackets_is_a_list() -> None:
    request = sent(("include[]", "logprobs"), ("image", "a"), ("image", "b"))
    assert request.fields == {"include": ["logprobs"], "image": ["a", "b"]}


def test_files_are_parts_and_no_fields() -> None:
    request = sent(("image[]", File("a.png", b"\x89PNG\r\n--x\r\n")), ("prompt", "é"))
    assert request.form == (Part("image[]", b"\x89PNG\r\n--x\r\n", True), Part("prompt", "é".encode(), False))
    assert request.fields == {"prompt": "é"}


def test_what_is_no_form_has_no_parts() -> None:
    request = Request("POST", "/x", {}, (("content-type", "application/json"),), b'{"n": 1}')
    assert (request.is_form, request.form, request.fields) == (False, (), {"n": 1})
    broken = Request("POST", "/x", {}, (("Content-Type", 'multipart/form-data; boundary="b"'),), b"--b\r\nno head")
    assert (broken.is_form, broken.form, broken.fields) == (True, (), {})
