"""Cassettes of VCR.py, and of Ruby's VCR, whose shape it took: `interactions` of request and response."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

try:
    from yaml import CSafeLoader as Loader  # ten times faster, where libyaml was there at its build
except ImportError:
    from yaml import SafeLoader as Loader  # type: ignore[assignment]

from wireproof.exchange import Headers
from wireproof.recordings import Heard


class _Cassette(Loader):
    """YAML as Ruby's Psych writes it too: `!binary`, where others have `!!binary`."""


def _binary(loader: Any, node: Any) -> Any:
    return loader.construct_yaml_binary(node)


_Cassette.add_constructor("!binary", _binary)


def heard(path: Path) -> Iterator[Heard]:
    """Every interaction. A cassette tells no times but, in Ruby's, the moment of the recording."""
    data = path.read_bytes()
    content = json.loads(data) if path.suffix == ".json" else yaml.load(data, _Cassette)
    interactions = content["interactions"] if "interactions" in content else content["http_interactions"]
    for one in interactions:
        request, response = one["request"], one["response"]
        recorded = one.get("recorded_at")
        yield Heard(
            method=request["method"].upper(),
            url=request["uri"],
            headers=_headers(request.get("headers") or {}),
            body=_bytes(request.get("body")),
            status=int(response["status"]["code"]),
            answer_headers=_headers(response.get("headers") or {}),
            answer=_bytes(response.get("body")),
            started_unix=_moment(recorded),
            is_filtered=True,
        )


def _headers(named: Mapping[str, Any]) -> Headers:
    return tuple(
        (name, str(value))
        for name, values in named.items()
        for value in (values if isinstance(values, list) else [values])
    )


def _bytes(body: Any) -> bytes:
    """A body as text, as bytes, or as `{string}` or `{base64_string}` of either."""
    if isinstance(body, Mapping):
        if "base64_string" in body:
            return base64.b64decode(body["base64_string"])
        body = body.get("string")
    if body is None:
        return b""
    if isinstance(body, bytes):
        return body
    return (body if isinstance(body, str) else json.dumps(body)).encode("utf-8", "surrogatepass")


def _moment(recorded: Any) -> float | None:
    """Ruby writes `Tue, 01 Nov 2011 04:58:44 GMT`; YAML and newer ones an ISO date."""
    if isinstance(recorded, datetime):
        return recorded.timestamp()
    if not isinstance(recorded, str):
        return None
    try:
        return datetime.strptime(recorded, "%a, %d %b %Y %H:%M:%S %Z").timestamp()
    except ValueError:
        return datetime.fromisoformat(recorded).timestamp()
