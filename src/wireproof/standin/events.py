"""Frames of the two token streams, written fast: what never changes in a stream is serialised once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from wireproof.standin.wire import Frame


class EventWriter:
    """Writes `data: {<shared fields>, "choices": [...], <closing fields>}` frames.

    `shared` are the fields before `choices`, `closing` those after it, the same in every event.
    """

    def __init__(self, shared: Mapping[str, Any], closing: Mapping[str, Any]) -> None:
        self._before = "data: " + json.dumps(shared, ensure_ascii=False)[:-1] + ', "choices": ['
        self._after = "]" + _tail(closing) + "}\n\n"

    def choice(self, delay_ms: float, choice: str, extra: str = "") -> Frame:
        """One event with one choice, given as JSON text; `extra` is more JSON text at its end."""
        return Frame(delay_ms, (self._before + choice + self._after[:-3] + extra + "}\n\n").encode())

    def usage(self, usage: Mapping[str, Any], extra: str = "") -> Frame:
        """The closing event: no choices, the usage."""
        text = f'{self._before}], "usage": {json.dumps(usage)}{extra}}}\n\n'
        return Frame(0.0, text.encode())


def _tail(fields: Mapping[str, Any]) -> str:
    return "".join(f', "{name}": {json.dumps(value)}' for name, value in fields.items())
