"""What a store can read of a file: the text, or why there is none."""

from __future__ import annotations

import codecs
from pathlib import PurePosixPath

from wireproof.standin.prose import words
from wireproof.standin.resources.vector_stores.documents import office_text, pdf_text

# Source: the guide to file search, supported files; those that are text, and a few that are written like them.
TEXT_SUFFIXES = frozenset(
    words(
        ".c .cpp .cs .css .csv .go .h .htm .html .java .js .json .jsonl .log .markdown .md .php .py .rb .rs .rst .sh "
        ".sql .tex .toml .ts .tsv .txt .xml .yaml .yml"
    )
)
DOCUMENTS = {".pdf": pdf_text, ".docx": office_text, ".pptx": office_text}
# What says in its first bytes how it is encoded; anything else is to be UTF-8.
MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


class Unreadable(Exception):
    """A store cannot take the file. `code` is that of `last_error`: unsupported_file or invalid_file."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def text_of(filename: str, data: bytes) -> str:
    """The text of a file, by the suffix of its name; without a suffix it is to be text. Raises Unreadable."""
    suffix = PurePosixPath(filename).suffix.lower()
    if suffix in DOCUMENTS:
        return _not_empty(DOCUMENTS[suffix](data))
    if suffix and suffix not in TEXT_SUFFIXES:
        raise Unreadable("unsupported_file", f"The file type is not supported: '{suffix}'.")
    encoding = next((name for mark, name in MARKS.items() if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        raise Unreadable("invalid_file", "The file could not be parsed: it is neither UTF-8 nor UTF-16.") from None
    if "\0" in text:
        raise Unreadable("unsupported_file", "The file type is not supported: its content is binary.")
    return _not_empty(text)


def _not_empty(text: str) -> str:
    if not text.strip():
        raise Unreadable("invalid_file", "The file could not be parsed: there is no text in it.")
    return text
