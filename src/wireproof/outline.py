"""The outline of an exchange: what of an answer can be compared between backends, as places and what stands there.

Pure. A place is `status`, `media type`, `header NAME`, `body`, `events`, `last event`, `closed` (of a WebSocket, whose
events are what the server said), or a JSON Pointer into the body, in which items of a list are `*`, or `{type}` when
they name their type, and events of a stream `{kind}`. What stands there is a type (`string`), or a value where
`spec/outline.yaml` says that the value is part of the API.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from wireproof.clause import Event, Exchange, Undecodable, parse_json
from wireproof.violations import shown

Outline = Mapping[str, str]
CONTAINERS = ("object", "list")
ABSENT = "absent"
DONE = "[DONE]"


def outline(exchange: Exchange, rules: Mapping[str, Any]) -> Outline:
    """The outline by the rules of `spec/outline.yaml`."""
    if exchange.status is None:
        return {"status": f"no answer ({exchange.trouble.kind if exchange.trouble else 'unknown'})"}
    found: dict[str, set[str]] = {"status": {str(exchange.status)}, "media type": {exchange.media_type or ABSENT}}
    for name in {name.lower() for name, _ in exchange.headers}:
        if not any(fnmatchcase(name, glob) for glob in rules["headers_aside"]):
            found[f"header {name}"] = {"present"}
    try:
        if exchange.socket is not None:
            heard = [_value(one.data.decode("utf-8", "replace")) for one in exchange.socket.messages if not one.ours]
            _of_events([(_kind(None, value, ()), value) for value in heard], rules, found)
            found["closed"] = {f"by {exchange.socket.closed_by or 'nobody'}, {exchange.socket.code}"}
        elif exchange.media_type == "text/event-stream":
            _of_stream(exchange, rules, found)
        elif exchange.body:
            _of_values("", [exchange.json], rules, found)
            found["body"] = {"JSON"}
    except Undecodable:
        found["body"] = {"no JSON"}
    return {place: _said(kinds) for place, kinds in found.items()}


def _of_stream(exchange: Exchange, rules: Mapping[str, Any], found: dict[str, set[str]]) -> None:
    told = [event for event in exchange.events if event.data is not None]
    _of_events([(kind_of(exchange, event, rules), _value(event.data or "")) for event in told], rules, found)


def _of_events(kinds: Sequence[tuple[str, Any]], rules: Mapping[str, Any], found: dict[str, set[str]]) -> None:
    """The kinds in order of their first appearance, and each kind's own outline over all its events."""
    by_kind: dict[str, list[Any]] = {}
    for kind, value in kinds:
        by_kind.setdefault(kind, []).append(value)
    found["events"] = {" > ".join(by_kind) or "none"}
    found["last event"] = {kinds[-1][0] if kinds else "none"}
    for kind, values in by_kind.items():
        if kind != DONE:
            _of_values(f"/{{{kind}}}", values, rules, found)


def kind_of(exchange: Exchange, event: Event, rules: Mapping[str, Any]) -> str:
    """What an event is, by its own word or by what it holds."""
    if event.is_done:
        return DONE
    return _kind(event.name, _value(event.data or ""), rules["kinds"].get(exchange.operation, ()))


def _value(data: str) -> Any:
    try:
        return parse_json(data)
    except Undecodable:
        return data


def _kind(name: str | None, value: Any, rows: Iterable[Mapping[str, Any]]) -> str:
    if not isinstance(value, dict):
        return "text"
    told = value.get("type")
    if isinstance(told, str) or name:
        return told if isinstance(told, str) else str(name)
    return next((row["kind"] for row in rows if any(_holds(value, path.split("/")) for path in row["holds"])), "other")


def _holds(value: Any, path: Sequence[str]) -> bool:
    if not path:
        return value not in (None, "", [])
    if path[0] == "*":
        return isinstance(value, list) and any(_holds(item, path[1:]) for item in value)
    return isinstance(value, dict) and _holds(value.get(path[0]), path[1:])


def _of_values(place: str, values: Sequence[Any], rules: Mapping[str, Any], found: dict[str, set[str]]) -> None:
    """What stands at `place`, in any of the values, and below it."""
    key = place.rpartition("/")[2]
    found.setdefault(place or "/", set()).update(_leaf(key, value, rules) for value in values)
    bare = "/".join("*" if part.startswith("{") else part for part in place.split("/"))
    if any(fnmatchcase(bare, f"*{glob}") for glob in rules["untold"]):
        return
    objects = [value for value in values if isinstance(value, dict)]
    for name in dict.fromkeys(name for one in objects for name in one):
        below = f"{place}/{name}"
        _of_values(below, [one[name] for one in objects if name in one], rules, found)
        if any(name not in one for one in objects):
            found[below].add(ABSENT)
    lists = [value for value in values if isinstance(value, list)]
    if lists and any(fnmatchcase(bare, f"*{glob}") for glob in rules["counted"]) and not place.startswith("/{"):
        found[f"{place}, items"] = {str(len(one)) for one in lists}
    for tag, items in _tagged(item for one in lists for item in one).items():
        _of_values(f"{place}/{tag}", items, rules, found)


def _tagged(items: Iterable[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for item in items:
        told = item.get("type") if isinstance(item, dict) else None
        found.setdefault(f"{{{told}}}" if isinstance(told, str) else "*", []).append(item)
    return found


def _leaf(key: str, value: Any, rules: Mapping[str, Any]) -> str:
    match value:
        case dict():
            return "object"
        case list():
            return "list"
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
    return shown(value) if key in rules["literal"] else "string"


def _said(kinds: set[str]) -> str:
    """Several kinds at one place, in one order always; a whole number among others is a number."""
    return " or ".join(sorted(kinds - {"integer"} if "number" in kinds else kinds))


def departures(outlines: Sequence[Outline]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each place at which the outlines do not say the same, with what each says, `absent` where it has no such place.

    Of what is missing whole only the topmost place is given; items of a list that was empty are no difference. Where
    the statuses differ nothing else is compared.
    """
    statuses = tuple(one["status"] for one in outlines)
    if len(set(statuses)) > 1:
        yield "status", statuses
        return
    for place in dict.fromkeys(place for one in outlines for place in one):
        said = tuple(one.get(place, ABSENT) for one in outlines)
        if len(set(said)) > 1 and all(place in one or _may_hold(one, place) for one in outlines):
            yield place, said


def _may_hold(one: Outline, place: str) -> bool:
    """Whether what `place` stands in is there, so that its absence says something."""
    if not place.startswith("/"):
        return True
    parent, _, key = place.rpartition("/")
    above = one.get(parent or "/", ABSENT).split(" or ")
    if key == "*":
        return False
    if key.startswith("{"):
        return bool(parent) and "list" in above  # an event of another kind is told by `events`
    return "object" in above
