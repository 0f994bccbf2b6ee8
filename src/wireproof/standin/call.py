"""An admitted request: known caller, known operation, parameters and body as the description has them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from wireproof.spec import Operation
from wireproof.standin.wire import Ask


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of a form. `content_type` as the client named it, `filename` without any folders."""

    filename: str
    content_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class Call:
    """What a handler gets. It keeps the schemas of its operation; what they can't say is the handler's to check.

    `query` and `headers` hold what was sent, typed, and the defaults of what was not; `path` the decoded path
    parameters; `body` the JSON object or the form (files as `Upload`), {} when none was sent or it is of another
    media type (then `ask.body`). `now`: seconds since the epoch. `is_metered`: counts against the tier.
    """

    ask: Ask
    operation: Operation
    key: str
    serial: str
    now: float
    path: Mapping[str, str]
    query: Mapping[str, Any]
    headers: Mapping[str, Any]
    body: dict[str, Any]
    new_serial: Callable[[], str] = field(repr=False)
    is_metered: bool = True

    def id(self, prefix: str) -> str:
        """A new id, another at each time: `prefix` and letters and digits that nothing else has."""
        return f"{prefix}{self.new_serial()}"
