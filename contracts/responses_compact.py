"""A long exchange in short: what `/responses/compact` answers can be sent as input instead of it."""

from __future__ import annotations

from wireproof.clause import MODEL, Exchange, answered, clause, expect, load_spec, probe, shown

from ._reading import as_objects, maybe_object
from ._response_asks import QUESTION
from ._responses import without_strangers

COMPACT = probe(
    "responses.compact",
    "POST",
    "/responses/compact",
    {"model": MODEL, "input": QUESTION},
    about="the short question, compacted",
    expects="either",
)


@clause("responses.compact", level="MUST", source="SPEC CompactResource", on=answered("compactResponse"))
def a_compaction_is_answered_as_items(exchange: Exchange) -> None:
    """A compaction is answered as `response.compaction`, with its usage and an `output` of items that can be sent as
    input. One of them, of type `compaction`, has in `encrypted_content` what was said.
    """
    body = maybe_object(exchange)
    for violation in load_spec().schema("Compaction").breaches(without_strangers(body)):
        expect(False, expected=violation.expected, got=violation.got, at=violation.pointer)
    kinds = [item.get("type") for item in as_objects(body.get("output"))]
    expect("compaction" in kinds, expected="an item of type compaction", got=f"items {shown(kinds)}", at="/output")
