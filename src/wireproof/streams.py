"""The order laws of streams, read from `spec/streams.yaml` and held against events.

Pure: the events of one stream in, the places where they break its grammar out. What an event holds is judged by its
schema, elsewhere; an event that the grammar does not name is passed over, for new types may come at any time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from itertools import pairwise
from typing import Any

from wireproof.spec import load_spec

Grammar = Mapping[str, Any]
Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """One event: its name, by whatever the grammar names events (None when by nothing), and its data."""

    name: str | None
    data: Any


@dataclass(frozen=True, slots=True)
class Slip:
    """Where a stream leaves its grammar. `at` is the index of the event, None when the stream ended too early."""

    at: int | None
    rule: str
    expected: str
    got: str


def grammar(name: str) -> Grammar:
    """A grammar by its `x-grammar` name; KeyError when there is none."""
    found: Grammar = load_spec().catalogue("streams")["streams"][name]
    return found


def said(rules: Grammar, data: Any, event_line: str | None = None) -> Said:
    if rules.get("event_line") == "name":
        return Said(event_line, data)
    named = data.get("type") if isinstance(data, dict) else None
    return Said(named if isinstance(named, str) else None, data)


def slips(rules: Grammar, events: Sequence[Said], *, is_whole: bool = True, after: int | None = None) -> list[Slip]:
    """Every place where `events` leave `rules`.

    `is_whole` false: the stream was cut, or is a socket still open. `after`: it was taken up again after the event of
    this number, so that whatever was opened before is not seen.
    """
    if "each" in rules:
        return list(_each(rules["each"], events))
    found = [*_closes(rules, events, is_whole), *_same(rules, events), *_steps(rules, events)]
    if after is None:
        found += [
            *_opens(rules, events),
            *_counts(rules, events, rules.get("counts", {}).get("from", 0)),
            *_pairs(rules, events, is_whole),
            *_inside(rules, events),
            *_sums(rules, events),
        ]
    else:
        found += _counts(rules, events, after + 1)
    return sorted(found, key=lambda slip: len(events) if slip.at is None else slip.at)


def framing_slips(rules: Grammar, lines: Sequence[tuple[str | None, str, Any]]) -> Iterator[Slip]:
    """Of server-sent events, each as (its `event:` line, its data, the same decoded): names and terminator."""
    terminator, style = rules.get("terminator"), rules["event_line"]
    for at, (name, text, data) in enumerate(lines):
        if text == terminator:
            if at != len(lines) - 1:
                yield Slip(at, "terminator", "nothing after it", f"{len(lines) - 1 - at} events more")
            if name != rules.get("terminator_event"):
                yield Slip(at, "event line", str(rules.get("terminator_event")), str(name))
        elif style == "absent" and name is not None:
            yield Slip(at, "event line", "none", name)
        elif (style == "type" or (style == "optional" and name is not None)) and name != data.get("type"):
            yield Slip(at, "event line", str(data.get("type")), str(name))
        elif style == "name" and name is None:
            yield Slip(at, "event line", "the name of the event", "none")
    if terminator is not None and (not lines or lines[-1][1] != terminator):
        yield Slip(None, "terminator", terminator, lines[-1][1] if lines else "nothing at all")


def _each(row: Mapping[str, Any], events: Sequence[Said]) -> Iterator[Slip]:
    """The slips of every run, lane by lane, at their places on the socket. The last run of a lane may be under way."""
    rules = grammar(row["grammar"])
    lanes: dict[Key, list[tuple[int, Said]]] = {}
    for at, event in enumerate(events):
        if not _is_named(event.name, row["besides"]) and not isinstance(_at(event.data, "error"), dict):
            lanes.setdefault(_key(event.data, row["by"]), []).append((at, event))
    for lane in lanes.values():
        ends = [number for number, (_, event) in enumerate(lane, 1) if event.name in rules["closes"]]
        for start, end in pairwise([0, *ends, *([len(lane)] if len(lane) not in ends else [])]):
            run = lane[start:end]
            for slip in slips(rules, [event for _, event in run], is_whole=end in ends):
                yield slip if slip.at is None else replace(slip, at=run[slip.at][0])


def _opens(rules: Grammar, events: Sequence[Said]) -> Iterator[Slip]:
    if first := rules.get("opens", ()):
        for at, event in enumerate(events):
            if (at == 0) != (event.name in first):
                yield Slip(at, "opens", " or ".join(first) if at == 0 else "no beginning again", str(event.name))


def _closes(rules: Grammar, events: Sequence[Said], is_whole: bool) -> Iterator[Slip]:
    last = rules.get("closes", ())
    for at, event in enumerate(events[:-1]):
        if event.name in last:
            yield Slip(at, "closes", "the last event", f"{event.name}, {len(events) - 1 - at} events before the end")
    if is_whole and last and (not events or events[-1].name not in last):
        yield Slip(None, "closes", " or ".join(last), str(events[-1].name) if events else "nothing at all")


def _counts(rules: Grammar, events: Sequence[Said], start: int) -> Iterator[Slip]:
    if "counts" in rules:
        key = rules["counts"]["key"]
        for at, event in enumerate(events):
            if (number := _at(event.data, key)) != start + at:
                yield Slip(at, "counts", f"{key} {start + at}", str(number))


def _same(rules: Grammar, events: Sequence[Said]) -> Iterator[Slip]:
    for key in rules.get("same", ()):
        values = [(at, value) for at, event in enumerate(events) if (value := _at(event.data, key)) is not None]
        yield from (
            Slip(at, "same", f"{key} {values[0][1]}", str(value)) for at, value in values if value != values[0][1]
        )


def _pairs(rules: Grammar, events: Sequence[Said], is_whole: bool) -> Iterator[Slip]:
    """Opened once, closed once, in this order; left open only where the last event is not a tidy one."""
    tidy = is_whole and bool(events) and events[-1].name in rules.get("tidy", ())
    for pair in rules.get("pairs", ()):
        opened: set[Key] = set()
        closed: set[Key] = set()
        for at, event in enumerate(events):
            key = _key(event.data, pair["by"])
            if event.name == pair["open"]:
                if pair.get("again") and key in closed:
                    opened.discard(key)
                    closed.discard(key)
                if key in opened:
                    yield Slip(at, "pairs", f"{pair['open']} once for {_shown(key)}", "once more")
                opened.add(key)
            elif event.name == pair["close"]:
                if key not in opened or key in closed:
                    yield Slip(at, "pairs", f"{pair['open']} before it", f"{pair['close']} for {_shown(key)}")
                closed.add(key)
        if tidy:
            yield from (Slip(None, "pairs", f"{pair['close']} for {_shown(key)}", "none") for key in opened - closed)


def _inside(rules: Grammar, events: Sequence[Said]) -> Iterator[Slip]:
    closes = {pair["open"]: pair["close"] for pair in rules.get("pairs", ())}
    for row in rules.get("inside", ()):
        opened: set[Key] = set()
        for at, event in enumerate(events):
            if event.name == row["open"]:
                opened.add(_key(event.data, row["of"]))
            elif event.name == closes[row["open"]]:
                opened.discard(_key(event.data, row["of"]))
            elif _is_named(event.name, row["events"]) and (key := _key(event.data, row["by"])) not in opened:
                yield Slip(at, "inside", f"{row['open']} for {_shown(key)}, not yet closed", str(event.name))


def _sums(rules: Grammar, events: Sequence[Said]) -> Iterator[Slip]:
    for row in rules.get("sums", ()):
        (piece, part), (whole, text) = row["pieces"], row["whole"]
        joined: dict[Key, str] = {}
        done: set[Key] = set()
        for at, event in enumerate(events):
            key = _key(event.data, row["by"])
            if event.name == piece:
                joined[key] = joined.get(key, "") + str(_at(event.data, part))
                if key in done:
                    yield Slip(at, "sums", f"no {piece} after {whole}", f"one for {_shown(key)}")
            elif event.name == whole:
                done.add(key)
                if (came := _at(event.data, text)) != joined.get(key, ""):
                    yield Slip(at, "sums", f"{text} as the pieces make it, {joined.get(key, '')!r}", repr(came))


def _steps(rules: Grammar, events: Sequence[Said]) -> Iterator[Slip]:
    for row in rules.get("steps", ()):
        reached: dict[Key, int] = {}
        for at, event in enumerate(events):
            if event.name is not None and event.name in row["order"]:
                step, key = row["order"].index(event.name), _key(event.data, row["by"])
                if step < reached.get(key, 0):
                    yield Slip(at, "steps", f"no going back from {row['order'][reached[key]]}", event.name)
                reached[key] = max(step, reached.get(key, 0))


def _is_named(name: str | None, globs: Iterable[str]) -> bool:
    return name is not None and any(fnmatchcase(name, glob) for glob in globs)


def _key(data: Any, paths: Iterable[str]) -> Key:
    return tuple(_at(data, path) for path in paths)


def _at(data: Any, path: str) -> Any:
    """What stands at a path of keys with dots between, None when there is nothing."""
    for key in path.split("."):
        data = data.get(key) if isinstance(data, dict) else None
    return data


def _shown(key: Key) -> str:
    return ", ".join(map(str, key)) or "the stream"
