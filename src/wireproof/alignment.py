"""Which exchanges of several runs answer the same question, whoever recorded them.

Runs of ours are aligned by probe and step. As soon as one comes from another recorder, all are aligned by what was
asked: the operation, the query, the body, and whether a key was shown where recordings tell that. What every backend
names in its own way says nothing then: ids, the model unless every side asks for it, the order of keys, the boundary of
a form. The same question asked twice is paired in its order; an attempt that was throttled, and asked again, is none.
Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wireproof.bisection import first_asked
from wireproof.exchange import Exchange
from wireproof.heed import THROTTLED
from wireproof.journal import Run

# A word of lower case before `-` or `_`, then a long rest with a figure in it: resp_68a1..., file-AbC123..., call_x9...
ID = re.compile(r"(?:[a-z]+[-_]){1,2}(?=[A-Za-z_-]*\d)[A-Za-z0-9_-]{6,}")
BOUNDARY = re.compile(rb'boundary="?([^";]+)')
ANY = ""


@dataclass(frozen=True)
class Alignment:
    """`rows` by the name of the question, one exchange a side; `missing` are questions of some sides alone."""

    rows: Mapping[str, tuple[Exchange, ...]]
    missing: tuple[str, ...]


def aligned(runs: Sequence[Run]) -> Alignment:
    asked = [first_asked(run.exchanges) for run in runs]
    if any(is_foreign(run) for run in runs):
        sides = _by_question(asked)
        named = sorted(range(len(runs)), key=lambda at: is_foreign(runs[at]))  # a probe's name says more than a number
    else:
        sides = [{(one.probe, one.step): one for one in exchanges} for exchanges in asked]
        named = list(range(len(runs)))
    somewhere = dict.fromkeys(key for at in named for key in sides[at])
    names = {key: _name(next(sides[at][key] for at in named if key in sides[at])) for key in somewhere}
    everywhere = [key for key in somewhere if all(key in side for side in sides)]
    rows = {names[key]: tuple(side[key] for side in sides) for key in everywhere}
    return Alignment(rows, tuple(names[key] for key in somewhere if key not in everywhere))


def is_foreign(run: Run) -> bool:
    """Whether it was not recorded by us: then no probe says what was asked."""
    return "recording" in run.header["target"]


def _name(exchange: Exchange) -> str:
    return f"{exchange.probe}#{exchange.step}" if exchange.step else exchange.probe


def _by_question(asked: Sequence[Sequence[Exchange]]) -> list[dict[Hashable, Exchange]]:
    common = frozenset.intersection(*(frozenset(_names(exchanges)) for exchanges in asked))
    is_whole = not any("headers" in one.lacks for exchanges in asked for one in exchanges)
    return [
        _numbered((_question(one, common, is_whole and _shows_key(one)), one) for one in exchanges)
        for exchanges in asked
    ]


def _shows_key(exchange: Exchange) -> bool:
    return any(name.lower() in ("authorization", "api-key") for name, _ in exchange.request.headers)


def _names(exchanges: Iterable[Exchange]) -> Iterable[str]:
    """What may be called differently on another side: models, and what stands in paths and queries."""
    for one in exchanges:
        yield from one.request.path.split("/")
        yield from one.request.query.values()
        if isinstance(model := one.request.asked.get("model"), str):
            yield model


def _question(exchange: Exchange, common: frozenset[str], shows_key: bool) -> Hashable:
    request = exchange.request
    path = "/".join(part if part in common else ANY for part in request.path.split("/"))
    query = {name: value if value in common else ANY for name, value in request.query.items()}
    asked = request.json
    if isinstance(asked, dict) and isinstance(asked.get("model"), str) and asked["model"] not in common:
        asked = {**asked, "model": ANY}
    body = _bare_form(exchange) if asked is None else json.dumps(_bare(asked), sort_keys=True)
    return exchange.operation or request.method, path, json.dumps(query, sort_keys=True), body, shows_key


def _bare(value: Any) -> Any:
    """A body without its ids."""
    if isinstance(value, dict):
        return {key: _bare(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_bare(item) for item in value]
    return ANY if isinstance(value, str) and ID.fullmatch(value) else value


def _bare_form(exchange: Exchange) -> bytes:
    kind = next((value for name, value in exchange.request.headers if name.lower() == "content-type"), "")
    boundary = BOUNDARY.search(kind.encode())
    return exchange.request.body.replace(boundary[1], b"") if boundary else exchange.request.body


def _numbered(found: Iterable[tuple[Hashable, Exchange]]) -> dict[Hashable, Exchange]:
    """Each question with its number among the same ones."""
    same: dict[Hashable, list[Exchange]] = {}
    for question, exchange in found:
        same.setdefault(question, []).append(exchange)
    return {
        (question, number): exchange
        for question, some in same.items()
        for number, exchange in enumerate([one for one in some if one.status not in THROTTLED] or some[-1:])
    }
