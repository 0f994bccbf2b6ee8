"""summary.json: the figures of a load run, for programs. Schema: `schemas/summary.schema.json`."""

from __future__ import annotations

import json
from typing import Any

FILE = "summary.json"


def render(summary: dict[str, Any]) -> str:
    return json.dumps(summary, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
