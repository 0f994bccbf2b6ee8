"""What vector stores are made of: reading, cutting, embedding, filtering."""

from __future__ import annotations

import codecs
import io
import math
import time
import zipfile
import zlib
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wireproof.standin.refusals import Refused
from wireproof.standin.resources.vector_stores.chunks import Sizes, cut, first_chunks, sizes
from wireproof.standin.resources.vector_stores.filters import fits
from wireproof.standin.resources.vector_stores.reading import Unreadable, text_of
from wireproof.standin.resources.vector_stores.vectors import Query, embedded, words
from wireproof.standin.tokens import count, tokenized

TEXTS = st.text(alphabet="ab1. \n—", max_size=400)
SIZES = st.builds(Sizes, st.integers(4, 20), st.integers(0, 2))


@settings(max_examples=60)
@given(TEXTS, SIZES)
def test_every_token_is_in_a_chunk_and_chunks_overlap_as_told(text: str, by: Sizes) -> None:
    tokens, chunks = tokenized(text), cut(text, by)
    starts = [len("".join(tokens[: number * (by.most - by.overlap)])) for number in range(len(chunks))]
    ends = [start + len(chunk) for start, chunk in zip(starts, chunks, strict=True)]
    assert [text[start:end] for start, end in zip(starts, ends, strict=True)] == chunks
    assert all(count(chunk) <= by.most for chunk in chunks)
    assert all(start <= end < later for end, start, later in zip(ends, starts[1:], ends[1:], strict=False))
    assert ends[-1:] == ([len(text)] if text else [])


@settings(max_examples=60)
@given(TEXTS, SIZES, st.integers(1, 60))
def test_a_text_cut_piece_by_piece_has_the_same_chunks(text: str, by: Sizes, characters: int) -> None:
    chunks: list[str] = []
    start: int | None = 0
    while start is not None:
        found, end = first_chunks(text[start:], by, characters)
        chunks += found
        start = None if end is None else start + end
    assert chunks == cut(text, by)


def test_auto_is_800_tokens_with_400_in_common() -> None:
    assert sizes(None) == sizes({"type": "auto"}) == Sizes(800, 400)
    assert [count(chunk) for chunk in cut("word " * 2000, Sizes())][:2] == [800, 800]


def test_an_overlap_of_more_than_half_is_refused() -> None:
    asked = {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 51}}
    with pytest.raises(Refused) as refused:
        sizes(asked)
    assert refused.value.answer.json["error"]["param"] == "chunking_strategy.static.chunk_overlap_tokens"
    asked["static"]["chunk_overlap_tokens"] = 50  # type: ignore[index]
    assert sizes(asked) == Sizes(100, 50)


def test_a_vector_is_of_length_1_and_of_no_words_is_zero() -> None:
    vector = embedded("Rain falls on the river, and on the river's far bank.")
    assert math.isclose(sum(part * part for part in vector), 1.0, rel_tol=1e-5)
    assert min(vector) >= 0
    assert not any(embedded(" ... "))


def test_texts_that_share_words_rank_higher() -> None:
    query = Query("How are refunds paid?")
    texts = [
        "Refunds are paid within ten days.",
        "A refund takes long.",
        "Late payments cost a fee.",
        "The moon is far.",
    ]
    ranks = [query.rank(text) for text in texts]
    assert ranks == sorted(ranks, reverse=True)
    assert ranks[0] > ranks[1] > ranks[3] == 0
    assert query.likeness(texts[0]) > query.likeness(texts[1])


@given(st.text(max_size=60), st.text(max_size=60))
def test_scores_lie_between_0_and_1(query: str, text: str) -> None:
    assert 0 <= Query(query).rank(text) <= 1
    assert 0 <= Query(query).likeness(text) <= 1


def test_common_words_count_only_where_there_are_no_others() -> None:
    assert words("What is the Price of tea?") == ["price", "tea"]
    assert words("to be or not to be") == ["to", "be", "or", "not", "to", "be"]


ATTRIBUTES = {"year": 2024, "price": 9.5, "kind": "report", "draft": True}
HOLDS: list[tuple[str, str, Any]] = [
    ("eq", "kind", "report"),
    ("ne", "kind", "memo"),
    ("ne", "nothing", "memo"),
    ("gt", "year", 2023),
    ("gte", "year", 2024),
    ("lt", "price", 10),
    ("lte", "price", 9.5),
    ("gt", "kind", "memo"),
    ("in", "year", [2023, 2024]),
    ("nin", "kind", ["memo", "letter"]),
    ("nin", "nothing", ["memo"]),
    ("eq", "draft", True),
]
FAILS: list[tuple[str, str, Any]] = [
    ("eq", "kind", "Report"),
    ("eq", "nothing", "report"),
    ("ne", "kind", "report"),
    ("gt", "year", 2024),
    ("gt", "kind", 1),
    ("lt", "nothing", 1),
    ("in", "kind", [2024]),
    ("nin", "year", [2024]),
    ("eq", "draft", 1),
    ("gte", "draft", True),
]


@pytest.mark.parametrize(("kind", "key", "value"), HOLDS)
def test_a_comparison_holds(kind: str, key: str, value: Any) -> None:
    assert fits(ATTRIBUTES, {"type": kind, "key": key, "value": value})


@pytest.mark.parametrize(("kind", "key", "value"), FAILS)
def test_a_comparison_fails(kind: str, key: str, value: Any) -> None:
    assert not fits(ATTRIBUTES, {"type": kind, "key": key, "value": value})


def test_comparisons_are_joined_at_any_depth() -> None:
    recent = {"type": "gte", "key": "year", "value": 2024}
    memo = {"type": "eq", "key": "kind", "value": "memo"}
    dear = {"type": "gt", "key": "price", "value": 9}
    assert fits(ATTRIBUTES, {"type": "and", "filters": [recent, {"type": "or", "filters": [memo, dear]}]})
    assert not fits(ATTRIBUTES, {"type": "and", "filters": [recent, memo]})
    assert fits(ATTRIBUTES, {"type": "and", "filters": []})
    assert not fits(ATTRIBUTES, {"type": "or", "filters": []})
    assert fits({}, None)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_text_is_read_in_its_encoding(encoding: str) -> None:
    assert text_of("notes.md", "Grüße".encode(encoding)) == "Grüße"


def pdf(content: bytes, about: bytes = b"") -> bytes:
    return b"%PDF-1.4\n4 0 obj\n<</Length 1" + about + b">>\nstream\n" + content + b"\nendstream\nendobj\n%%EOF"


def packed(**parts: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/") + ".xml", content)
    return made.getvalue()


SHOWN = b"BT /F1 12 Tf 72 720 Td (Refunds \\(all\\)) Tj 0 -14 Td [(are) -250 (p) 20 (aid \\251)] TJ ET"


@pytest.mark.parametrize("data", [pdf(SHOWN), pdf(zlib.compress(SHOWN), b"/Filter /FlateDecode")])
def test_a_pdf_is_read_where_its_text_lies_open(data: bytes) -> None:
    assert text_of("a.pdf", data) == "Refunds (all)\nare paid ©"


def test_word_and_powerpoint_are_read_paragraph_by_paragraph() -> None:
    word = '<w:p w:x="1"><w:r><w:t xml:space="preserve">Rain &amp; </w:t></w:r><w:t>wind</w:t></w:p>'
    word += "<w:p><w:t>Sun</w:t></w:p>"
    assert text_of("a.docx", packed(word__document=word, word__styles="<w:p><w:t>no</w:t></w:p>")) == "Rain & wind\nSun"
    slides = {f"ppt__slides__slide{number}": f"<a:p><a:r><a:t>{number}</a:t></a:r></a:p>" for number in (10, 2, 1)}
    assert text_of("a.pptx", packed(**slides)) == "1\n2\n10"


@settings(max_examples=100)
@given(st.binary(max_size=300), st.sampled_from([".pdf", ".docx"]))
def test_a_broken_document_is_refused_and_no_more(data: bytes, suffix: str) -> None:
    for broken in (data, pdf(data, b"/FlateDecode"), packed(word__document="<w:p>")[: len(data)]):
        with suppress(Unreadable):
            text_of("a" + suffix, broken)


def test_a_document_that_is_made_to_be_slow_is_not() -> None:
    begun = time.process_time()
    many = 200_000
    for part in (b"BT ", b"<<", b"stream\n", b"(a", b"BT -1000 ", b"BT (\\", b"endstream"):
        with suppress(Unreadable):
            text_of("a.pdf", pdf(part * many))
    for text in ("<w:p ", "<w:t>", "<w:t a", "</w:p>"):
        with suppress(Unreadable):
            text_of("a.docx", packed(word__document=text * many))
    assert time.process_time() - begun < 5


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("photo.png", b"\x89PNG", "unsupported_file"),
        ("program.exe", b"plain text", "unsupported_file"),
        ("notes", b"a\0b", "unsupported_file"),
        ("notes.txt", b"\xff\x00\xfe", "invalid_file"),
        ("notes.txt", codecs.BOM_UTF16_LE + b"a", "invalid_file"),
        ("notes.txt", b" \n", "invalid_file"),
        ("scan.pdf", pdf(b"q 1 0 0 1 0 0 cm /Im0 Do Q"), "invalid_file"),
        ("a.docx", b"PK\x03\x04", "invalid_file"),
    ],
)
def test_what_cannot_be_read_says_why(name: str, data: bytes, code: str) -> None:
    with pytest.raises(Unreadable) as unreadable:
        text_of(name, data)
    assert unreadable.value.code == code
