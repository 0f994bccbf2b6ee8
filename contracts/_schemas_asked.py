"""Schemas that probes ask structured answers for."""

from __future__ import annotations

from typing import Any

# Closed values only, so that any model finishes within the cap: no free strings, no open lists. Each holds what
# streams lose: characters of four bytes that no token has whole, a blank by itself, tokens that come twice in a row.
PAINT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "color": {"type": "string", "enum": ["🔴 red", "🟢 green", "🔵 blue"]},
        "coats": {"type": "integer", "enum": [1, 2, 3]},
        "can": {
            "type": "object",
            "properties": {
                "volume": {"type": "integer", "enum": [5, 10, 20]},
                "unit": {"type": "string", "enum": ["liter", "gallon"]},
            },
            "required": ["volume", "unit"],
            "additionalProperties": False,
        },
        "is_glossy": {"type": "boolean"},
        "code": {"type": "string", "enum": ["0000  777777777777", "1111  888888888888"]},
    },
    "required": ["color", "coats", "can", "is_glossy", "code"],
    "additionalProperties": False,
}
WISH = "Choose a paint for a garden door: color, coats, can, whether it is glossy, and its code."
