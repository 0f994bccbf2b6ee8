"""The official Node SDK as one more reader, where `node` and the package `openai` are at hand.

A small script beside the contracts does the reading, all exchanges in one process; this end asks and listens.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from re import sub
from typing import Any

from wireproof.clause import Exchange, Undecodable
from wireproof.content import shelf
from wireproof.oracle.asking import fields_of, methods_of
from wireproof.oracle.replay import Raised, Reading, events_seen, next_after, tells_of_error
from wireproof.spec import Spec
from wireproof.spec_coverage import installed_sdk

MOST_S = 120.0  # for a few hundred exchanges it takes two


def has_node(folder: Path | None = None) -> bool:
    """Whether there is a `node`, and the package in `folder`, the working directory by default, or above it."""
    here = (folder or Path.cwd()).resolve()
    return shutil.which("node") is not None and any(
        (place / "node_modules" / "openai").is_dir() for place in (here, *here.parents)
    )


class NodeReplay:
    """What the Node SDK made of these exchanges; asked once, when it is made."""

    def __init__(self, spec: Spec, exchanges: Iterable[Exchange], folder: Path | None = None) -> None:
        package = installed_sdk()
        self.ways = spec.catalogue("sdk")
        self.refusals: Mapping[str, str] = {**self.ways["errors"], **self.ways["node"]["errors"]}
        plain = {id for id, one in spec.operations.items() if "{" not in one.path}
        known = methods_of(package) if package else {}
        self.methods = {id: _camel(name) for id, name in known.items() if id in plain}
        asked = [self._asked(one) for one in exchanges if self._is_whole(one)]
        said = _run(asked, folder or Path.cwd())
        self.name = f"openai {said['version']} for Node"
        self.readings: Mapping[str, Mapping[str, Any]] = {
            one["id"]: one for one in said["readings"] if "unread" not in one
        }

    def _is_whole(self, exchange: Exchange) -> bool:
        is_refusal = (exchange.status or 0) >= 400
        return (
            exchange.status is not None and not exchange.trouble and (is_refusal or exchange.operation in self.methods)
        )

    def _asked(self, exchange: Exchange) -> dict[str, Any]:
        """What the script is told of one exchange."""
        fields = fields_of(exchange)
        given = {name: fields[name] for name in self.ways["shaping"] if name in fields}
        # Asked for nothing, it asks for base64 and decodes whatever comes.
        given["encoding_format"] = None if fields.get("encoding_format") == "base64" else "float"
        way = self.ways["node"]["accumulators"].get(exchange.operation, {}) if _completes(exchange) else {}
        return {
            "id": exchange.id,
            "call": None if (exchange.status or 0) >= 400 else self.methods[exchange.operation or ""],
            "given": {name: value for name, value in given.items() if value is not None},
            "join": way.get("call"),
            "final": way.get("final"),
            "status": exchange.status,
            "headers": [[name, value] for name, value in exchange.headers if name.lower() != "content-encoding"],
            "chunks": [base64.b64encode(piece).decode() for piece in _pieces(exchange)],
        }

    def reads(self, exchange: Exchange) -> bool:
        return exchange.id in self.readings

    def refusal(self, exchange: Exchange) -> dict[str, Any]:
        return dict(self.readings[exchange.id]["refusal"])

    def reading(self, exchange: Exchange) -> Reading:
        """The whole is compared for a stream that was joined, and for what is not streamed."""
        read = self.readings[exchange.id]
        if "raised" in read:
            is_told = bool(read.get("told")) and tells_of_error(exchange)
            return Reading(raised=Raised("", " ".join(read["raised"].split())[:300], is_told))
        told: dict[str, tuple[Any, Any]] = {}
        if "events" in read:
            told["events"] = (read["events"], events_seen(exchange))
        if "after" in read:
            told["next page after"] = (read["after"], next_after(exchange))
        return Reading(read.get("final"), told)

    def strict(self, exchange: Exchange) -> list[Raised]:
        """Nothing: types are gone when JavaScript runs."""
        return []


def _run(asked: list[dict[str, Any]], folder: Path) -> dict[str, Any]:
    script = shelf("contracts") / "sdk.mjs"
    done = subprocess.run(
        ["node", str(script)],  # whichever node the user has
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=folder,
        timeout=MOST_S,
        check=True,
    )
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def _camel(method: str) -> str:
    """`vector_stores.file_batches.create` as the Node SDK has it: `vectorStores.fileBatches.create`."""
    return sub(r"_(\w)", lambda found: found[1].upper(), method)


def _completes(exchange: Exchange) -> bool:
    """Whether the fold of ours has a whole to compare with."""
    from wireproof.oracle import our_fold

    return our_fold(exchange) is not None


def _pieces(exchange: Exchange) -> list[bytes]:
    """The chunks as they came; an encoded body in one piece, decoded, because nobody decodes it on the way."""
    if exchange.header("content-encoding") in (None, "identity"):
        return [chunk.data for chunk in exchange.chunks]
    try:
        return [exchange.body]
    except Undecodable:
        return [exchange.wire]
