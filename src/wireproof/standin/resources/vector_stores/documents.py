"""The text of PDF, Word and PowerPoint files, as far as it lies open: no fonts are looked up, no pictures read.

What is packed is unpacked up to MOST_BYTES, whatever it says of its size. "" when there is no text to be found.
"""

from __future__ import annotations

import html
import io
import re
import zipfile
import zlib
from collections.abc import Iterator

MOST_BYTES = 20_000_000

# ---- PDF: strings between BT and ET, shown by Tj, TJ, ' and "; a move to another line is a new line.
# All of it is read in one pass: a file made to be slow is not.
BEGIN, END = b"stream", b"endstream"
ABOUT_BYTES = 500  # before a stream, where it says how it is packed
SHOWN = re.compile(rb"(?P<string>\((?:\\.|[^\\()]|\([^()]*\))*\))|(?P<gap>-\d{3,})|(?P<line>\bT[dD*m]\b|')", re.DOTALL)
ESCAPED = re.compile(rb"\\([0-7]{1,3}|\r?\n|.)", re.DOTALL)
ESCAPES = {b"n": b"\n", b"r": b"\n", b"t": b"\t", b"b": b"", b"f": b"\n"}


def pdf_text(data: bytes) -> str:
    pieces = []
    for content in _streams(data):
        for block in re.split(rb"\bET\b", content):
            _, begun, operators = block.partition(b"BT")
            if begun:
                pieces.append("".join(_shown(operators)).strip())
    return "\n".join(filter(None, pieces))


def _streams(data: bytes) -> Iterator[bytes]:
    end, left = 0, MOST_BYTES
    while (begin := data.find(BEGIN, end)) >= 0 and (over := data.find(END, begin)) >= 0:
        content = data[begin + len(BEGIN) : over].lstrip(b"\r\n")
        if b"FlateDecode" in data[max(end, begin - ABOUT_BYTES) : begin]:
            content = _inflated(content, left)
            left -= len(content)
        yield content
        end = over + len(END)


def _inflated(data: bytes, most: int) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, max(most, 1))
    except zlib.error:
        return b""


def _shown(operators: bytes) -> Iterator[str]:
    for found in SHOWN.finditer(operators):
        if found["string"]:
            yield ESCAPED.sub(_unescaped, found["string"][1:-1]).decode("cp1252", "replace")
        else:
            yield " " if found["gap"] else "\n"


def _unescaped(found: re.Match[bytes]) -> bytes:
    told = found[1]
    if told[:1].isdigit():
        return bytes([int(told, 8) % 256])
    return b"" if told.endswith(b"\n") else ESCAPES.get(told, told)


# ---- Office: paragraphs of runs of text, in XML, in a ZIP file.
PARTS = re.compile(r"word/document\.xml|ppt/slides/slide\d+\.xml")
PARAGRAPH_END = re.compile(r"</(?:w|a):p>")
RUN = re.compile(r"<(?:w|a):t(?: [^<>]*)?>([^<]*)</(?:w|a):t>|<(?:w:tab|w:br|a:br)\b")


def office_text(data: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            names = sorted(filter(PARTS.fullmatch, packed.namelist()), key=lambda name: (len(name), name))
            return "\n".join(_paragraphs(packed, name) for name in names)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError, EOFError):
        return ""


def _paragraphs(packed: zipfile.ZipFile, name: str) -> str:
    with packed.open(name) as part:
        content = part.read(MOST_BYTES).decode("utf-8", "replace")
    lines = (
        "".join(html.unescape(run[1]) if run[1] is not None else " " for run in RUN.finditer(paragraph))
        for paragraph in PARAGRAPH_END.split(content)
    )
    return "\n".join(line for line in lines if line.strip())
