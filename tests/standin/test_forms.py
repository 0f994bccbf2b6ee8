"""Forms: parts are folded by their names, and typed by the schema of their field."""

from __future__ import annotations

from typing import Any

import pytest

from wireproof.standin.call import Upload
from wireproof.standin.forms import form, parts
from wireproof.standin.refusals import Refused

TYPE = "multipart/form-data; boundary=xyz"
SCHEMA: Any = {
    "type": "object",
    "properties": {
        "file": {"type": "string", "format": "binary"},
        "image": {"anyOf": [{"type": "string", "format": "binary"}, {"type": "array", "items": {"type": "string"}}]},
        "images": {"type": "array", "items": {"type": "string", "format": "binary"}},
        "n": {"type": ["integer", "null"]},
        "size": {"type": ["string", "null"], "enum": ["small", "large", None]},
        "temperature": {"type": "number"},
        "stream": {"type": "boolean"},
        "text": {"type": "string"},
        "granularities[]": {"type": "array", "items": {"enum": ["word", "segment"]}},
        "include": {"type": "array", "items": {"type": "string"}},
        "expires": {
            "type": "object",
            "properties": {"anchor": {"type": "string"}, "seconds": {"type": "integer"}},
        },
        "strategy": {"anyOf": [{"const": "auto"}, {"type": "object", "properties": {"size": {"type": "integer"}}}]},
        "metadata": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}


def body(*fields: tuple[str, str], end: bytes = b"--xyz--\r\n") -> bytes:
    made = b""
    for name, value in fields:
        made += f'--xyz\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
    return made + end


def file(name: str, filename: str, data: bytes, kind: str = "text/plain") -> bytes:
    head = f'--xyz\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\nContent-Type: {kind}'
    return head.encode() + b"\r\n\r\n" + data + b"\r\n"


def read(*fields: tuple[str, str]) -> dict[str, Any]:
    return form({}, SCHEMA, parts(body(*fields), TYPE))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (("n", "3"), {"n": 3}),
        (("n", "three"), {"n": "three"}),
        (("n", "null"), {"n": None}),
        (("size", "null"), {"size": None}),
        (("text", "null"), {"text": "null"}),
        (("temperature", "0.5"), {"temperature": 0.5}),
        (("temperature", "1"), {"temperature": 1}),
        (("stream", "true"), {"stream": True}),
        (("stream", "True"), {"stream": "True"}),
        (("text", "12"), {"text": "12"}),
        (("text", "[1]"), {"text": "[1]"}),
        (("include", "a"), {"include": ["a"]}),
        (("include", '["a", "b"]'), {"include": ["a", "b"]}),
        (("include[]", "a"), {"include": ["a"]}),
        (("granularities", "word"), {"granularities[]": ["word"]}),
        (("granularities[]", "word"), {"granularities[]": ["word"]}),
        (("strategy", "auto"), {"strategy": "auto"}),
        (("strategy[size]", "8"), {"strategy": {"size": 8}}),
        (("metadata", '{"a": "b"}'), {"metadata": {"a": "b"}}),
        (("metadata[a]", "1"), {"metadata": {"a": "1"}}),
        (("n", "null"), {"n": None}),
        (("strategy", '{"size": 3}'), {"strategy": {"size": 3}}),
        (("unknown", "x"), {"unknown": "x"}),
    ],
    ids=str,
)
def test_a_field_becomes_what_its_schema_takes(field: tuple[str, str], value: Any) -> None:
    assert read(field) == value


def test_fields_of_one_name_are_one_list_and_keys_one_object() -> None:
    assert read(("include[]", "a"), ("include[]", "b")) == {"include": ["a", "b"]}
    assert read(("include", "a"), ("include", "b")) == {"include": ["a", "b"]}
    assert read(("expires[anchor]", "created_at"), ("expires[seconds]", "3600")) == {
        "expires": {"anchor": "created_at", "seconds": 3600}
    }


def test_files_keep_their_bytes_their_name_and_their_type() -> None:
    raw = bytes(range(256)) * 8192  # more than a parser keeps in memory by default
    (part,) = parts(file("file", "C:\\dir\\a.txt", raw) + b"--xyz--\r\n", TYPE)
    assert part == ("file", Upload("a.txt", "text/plain", raw))


def test_a_file_where_text_is_meant_is_read_as_text() -> None:
    given = file("text", "a.txt", b"long") + file("n", "n", b"3") + b"--xyz--\r\n"
    assert form({}, SCHEMA, parts(given, TYPE)) == {"text": "long", "n": 3}
    with pytest.raises(Refused) as refused:
        form({}, SCHEMA, parts(file("text", "a.png", b"\x89PNG") + b"--xyz--\r\n", TYPE))
    assert refused.value.answer.json["error"]["param"] == "text"


def test_one_file_of_many_is_a_list_where_the_schema_wants_one() -> None:
    given = file("images", "a.png", b"1") + file("images", "b.png", b"2") + file("image[]", "c.png", b"3")
    read = form({}, SCHEMA, parts(given + b"--xyz--\r\n", TYPE))
    assert [one.data for one in read["images"]] == [b"1", b"2"]
    assert [one.data for one in read["image"]] == [b"3"]


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (body(("n", "3")), "multipart/form-data"),
        (body(("n", "3"), end=b""), TYPE),
        (body(("n", "3"))[:-20], TYPE),
        (b"", TYPE),
        (b"not a form", TYPE),
        (body(*[("n", "3")] * 2001), TYPE),
        (b'--xyz\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xff\xfe\r\n--xyz--\r\n', TYPE),
        (body(("a", "1"), ("a[b]", "2")), TYPE),
    ],
)
def test_a_form_that_cannot_be_read_is_refused(raw: bytes, kind: str) -> None:
    with pytest.raises(Refused) as refused:
        form({}, SCHEMA, parts(raw, kind))
    assert refused.value.answer.status == 400
