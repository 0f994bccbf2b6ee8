"""Bodies of `multipart/form-data`: fields and files, folded and typed as the description has them.

`expires_after[seconds]` is the key `seconds` of an object, `include[]` an item of a list. Text becomes what the
schema of its field takes: "3" an integer, "true" a boolean, "[...]" or "{...}" JSON. What fits nothing stays text,
for the schema to refuse.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Mapping
from typing import Any

from python_multipart import FormParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import Field, File, parse_options_header

from wireproof.spec_shape import Document, Node, members, shape, takes_bytes
from wireproof.standin.call import Upload
from wireproof.standin.refusals import invalid, wrong_type

# The parser would warn on the error output of what the refusal says to the client.
logging.getLogger("python_multipart").addHandler(logging.NullHandler())

NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
MOST_FIELDS = 2_000
# It tells of every malformed form; so does our refusal, and a client must not be able to fill the error output.
logging.getLogger("python_multipart").addHandler(logging.NullHandler())
MEMORY_BYTES = 1 << 40  # nothing is spooled to disk: the body is in memory already

Part = tuple[str, str | Upload]


def parts(body: bytes, content_type: str) -> list[Part]:
    """The fields and files of a form in order. Refused: no boundary, cut off, malformed, too many, not UTF-8."""
    _, options = parse_options_header(content_type)
    if not options.get(b"boundary"):
        raise invalid("Could not parse multipart form: the Content-Type names no boundary.")
    found: list[Part] = []

    def keep(part: Field | File) -> None:
        if len(found) >= MOST_FIELDS:
            raise invalid(f"Could not parse multipart form: more than {MOST_FIELDS} parts.")
        found.append(_part(part))

    ends: list[bool] = []
    parser = FormParser(
        "multipart/form-data",
        keep,
        keep,
        on_end=lambda: ends.append(True),
        boundary=options[b"boundary"],
        config={"MAX_MEMORY_FILE_SIZE": MEMORY_BYTES, "UPLOAD_ERROR_ON_BAD_CTE": True},
    )
    try:
        parser.write(body)
        parser.finalize()
    except (FormParserError, UnicodeDecodeError) as wrong:
        raise invalid(f"Could not parse multipart form: {wrong}") from None
    if not ends:
        raise invalid("Could not parse multipart form: it ends before its closing boundary.")
    return found


def _part(part: Field | File) -> Part:
    name = (part.field_name or b"").decode()
    if isinstance(part, File):
        part.file_object.seek(0)
        data = part.file_object.read()
        part.close()  # the parser and its callbacks hold each other, and would hold this copy for a while
        filename = (part.file_name or b"").decode().replace("\\", "/").rpartition("/")[2]
        return name, Upload(filename, part.content_type or "application/octet-stream", data)
    return name, (part.value or b"").decode()


def form(document: Document, schema: Node, given: Iterable[Part]) -> dict[str, Any]:
    """The parts as one object of `schema`."""
    properties = members(document, shape(document, [schema]).objects).properties
    found: dict[str, Any] = {}
    for name, value in given:
        matched = NAME.fullmatch(name)
        first, keys = (matched[1], re.findall(r"\[([^\[\]]*)\]", matched[2])) if matched else (name, [])
        if first not in properties and f"{first}[]" in properties:
            first, keys = f"{first}[]", keys or [""]
        if isinstance(value, Upload) and first in properties and not takes_bytes(document, properties[first]):
            value = _text_of(first, value)
        _set(found, first, keys, value)
    return {name: typed(document, properties.get(name, ()), value) for name, value in found.items()}


def _text_of(name: str, upload: Upload) -> str:
    """What was sent as a file where text is meant, as some clients send long texts and JSON."""
    try:
        return upload.data.decode()
    except UnicodeDecodeError:
        raise wrong_type(name, "text", upload) from None


def _set(into: dict[str, Any], name: str, keys: list[str], value: Any) -> None:
    """`value` at `name`, or below it; what comes again under the same name makes a list of it."""
    if not keys:
        into[name] = value if name not in into else [*_listed(into[name]), value]
    elif keys[0] == "":
        into[name] = [*_listed(into.get(name, [])), value]
    else:
        inner = into.setdefault(name, {})
        if not isinstance(inner, dict):
            raise invalid(f"Invalid '{name}': given both as a value and as an object.", name)
        _set(inner, keys[0], keys[1:], value)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def typed(document: Document, nodes: Iterable[Node], value: Any) -> Any:
    """Text as one of the types that any of `nodes` takes; lists and objects item by item."""
    found = shape(document, nodes)
    if isinstance(value, dict):
        properties: Mapping[str, tuple[Node, ...]] = members(document, found.objects).properties
        return {name: typed(document, properties.get(name, ()), one) for name, one in value.items()}
    items = [one["items"] for one in found.arrays if "items" in one]
    if isinstance(value, list):
        return [typed(document, items, one) for one in value]
    if isinstance(value, Upload):
        return [value] if "array" in found.types and "string" not in found.types else value
    if value == "null" and "null" in found.types and ("string" not in found.types or found.enum is not None):
        return None
    return _typed(found.types, value) if "array" not in found.types else _array(document, found.types, items, value)


def _array(document: Document, types: frozenset[str], items: list[Node], text: str) -> Any:
    if "string" in types:
        return text
    if text.startswith("["):
        return _json(text)
    return [typed(document, items, text)]


def _typed(types: frozenset[str], text: str) -> Any:
    if "null" in types and text == "null":
        return None
    if "integer" in types and re.fullmatch(r"[+-]?\d{1,300}", text):
        return int(text)
    if "number" in types and re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", text):
        return float(text) if not re.fullmatch(r"[+-]?\d+", text) else int(text)
    if "boolean" in types and text in ("true", "false"):
        return text == "true"
    if "object" in types and text.startswith("{"):
        return _json(text)
    return text


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
