"""Schemas that probes ask structured answers for."""

from __future__ import annotations

from typing import Any

# Closed values only, so that any model finishes within the cap: no free strings, no open lists.
PAINT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "color": {"type": "string", "enum": ["red", "green", "blue"]},
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
    },
    "required": ["color", "coats", "can", "is_glossy"],
    "additionalProperties": False,
}
WISH = "Choose a paint for a garden door: color, coats, can, and whether it is glossy."
