"""Reading responses that are kept: whether they are, and whether what is read is what was made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wireproof.clause import (
    Exchange,
    Inconclusive,
    NotApplicable,
    expect,
    shown,
)

from ._flow import is_ok
from ._reading import as_count, as_objects, told
from ._responses import essence


def stored(exchanges: Sequence[Exchange]) -> Exchange:
    """The exchange that made the response, once it is known to be stored."""
    made, *later = exchanges
    if not is_ok(made):
        raise NotApplicable(f"no response was made: {made.id} was answered {made.status}")
    if not later:
        raise NotApplicable(f"{made.id} has no id that a path can hold")
    read = later[0]
    if not is_ok(read):
        raise NotApplicable(f"responses are not stored: {read.id} was answered {read.status}")
    return made


SAME = ("object", "created_at", "model", "status")


def expect_read_as_made(read: Exchange, body: dict[str, Any], made: dict[str, Any]) -> None:
    if body.get("status") in ("queued", "in_progress") and made.get("status") not in ("queued", "in_progress"):
        raise Inconclusive(f"{read.id} was answered before the response was put away")
    for name in SAME:
        held = body.get(name) == made.get(name)
        expect(held, expected=f"{name} {shown(made.get(name))}", got=told(body, name), at=f"{read.id} /{name}")
    wanted, got = ([essence(item) for item in as_objects(one.get("output"))] for one in (made, body))
    expect(got == wanted, expected=f"{shown(wanted)}, as it was made", got=shown(got), at=f"{read.id} /output")
    counts = [
        {name: count for name, count in (one.get("usage") or {}).items() if as_count(count) is not None}
        for one in (made, body)
    ]
    expect(counts[0] == counts[1], expected=shown(counts[0]), got=shown(counts[1]), at=f"{read.id} /usage")
