"""diff.json: where the answers of several targets part, for programs. Schema: `schemas/diff.schema.json`."""

from __future__ import annotations

import json

from wireproof.divergence import Comparison

FILE = "diff.json"
SCHEMA_VERSION = 1


def render(comparison: Comparison) -> str:
    document = {
        "schema_version": SCHEMA_VERSION,
        "outcome": comparison.outcome,
        "targets": [
            {"name": side.name, "odd": comparison.odd[side.name], **dict(side.run.header["target"])}
            for side in comparison.sides
        ],
        "compared": comparison.compared,
        "missing": list(comparison.missing),
        "incomplete": list(comparison.incomplete),
        "divergences": [
            {
                "place": one.place,
                "said": list(one.said),
                "odd": one.odd,
                "clause": one.clause and one.clause.id,
                "level": one.clause and one.clause.level,
                "exchanges": list(one.exchanges),
            }
            for one in [*comparison.classified, *comparison.unspecified]
        ],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"
