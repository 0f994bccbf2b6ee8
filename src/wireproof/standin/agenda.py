"""What will happen: deeds that fall due at a time, kept in a table like everything else, so that they survive.

Nothing runs by itself. Before each request whatever is due is done, in order of time, each with the moment it was
due as its `now`: to a client it looks as if it had happened then.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count

from wireproof.standin.store import Row, Table

Do = Callable[[str, str, float], None]


class Agenda:
    """Entries are rows `{due, deed, id}` of `table`, read back at the start."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._heap: list[tuple[float, int, Row]] = []
        self._numbers = count(max((int(key) for key in table), default=0) + 1)
        for key in table:
            row = table.get(key)
            if row is not None:
                heapq.heappush(self._heap, (row["due"], int(key), row))

    def add(self, due_s: float, deed: str, id: str) -> None:
        number = next(self._numbers)
        row = {"due": due_s, "deed": deed, "id": id}
        self._table.put(str(number), row)
        heapq.heappush(self._heap, (due_s, number, row))

    def run(self, until_s: float, do: Do, most: int) -> None:
        """Does what is due by `until_s`, also what that adds; `most` deeds, the rest stays due."""
        for _ in range(most):
            if not self._heap or self._heap[0][0] > until_s:
                return
            due, number, row = heapq.heappop(self._heap)
            self._table.delete(str(number))
            do(row["deed"], row["id"], due)

    @property
    def next_s(self) -> float | None:
        """When the next deed falls due."""
        return self._heap[0][0] if self._heap else None

    def clear(self) -> None:
        self._heap.clear()
        self._table.clear()
