"""What faults of sockets do: change what a session says, or what it hears."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from wireproof.standin.wire import Answer, Session

Event = dict[str, Any]
# An event of the server: changed in place (None), another, or several in its place. A str is said as it is.
Told = Callable[[Event], "Event | Iterable[Event | str] | None"]
# What a client says, an event or else text: passed on (None), another in its place, or what is said to it instead.
Heard = Callable[[Any], "Event | list[Event] | None"]


def edit_talk(answer: Answer, told: Told | None = None, heard: Heard | None = None) -> Answer:
    """The answer with its session behind these edits; others pass untouched. What they remember is for one socket."""
    if answer.session is None:
        return answer
    return replace(answer, session=Edited(answer.session, told, heard))


class Edited:
    """`end` closes the socket after what was said."""

    def __init__(self, session: Session, told: Told | None = None, heard: Heard | None = None) -> None:
        self._session, self._told, self._heard = session, told, heard
        self._own: list[str] = []
        self._closing: tuple[int, str] | None = None

    @property
    def closing(self) -> tuple[int, str] | None:
        return self._closing or self._session.closing

    @closing.setter
    def closing(self, told: tuple[int, str] | None) -> None:
        self._closing = told

    @property
    def next_s(self) -> float:
        return 0.0 if self._own else self._session.next_s

    def end(self, code: int, reason: str = "") -> None:
        self._closing = code, reason

    def hear(self, text: str | bytes) -> None:
        found = None if self._heard is None else self._heard(_event_in(text))
        if isinstance(found, list):
            self._own += [_told(one) for one in found]
        else:
            self._session.hear(text if found is None else json.dumps(found))

    def take(self) -> list[str]:
        said, self._own = self._own, []
        return [*said, *(_told(one) for text in self._session.take() for one in self._edited(text))]

    def _edited(self, text: str) -> Iterator[Event | str]:
        event = json.loads(text)
        found = None if self._told is None else self._told(event)
        if found is None or isinstance(found, dict):
            yield event if found is None else found
        else:
            yield from found


def _told(one: Event | str) -> str:
    return one if isinstance(one, str) else json.dumps(one, ensure_ascii=False)


def _event_in(text: str | bytes) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, dict) else text
