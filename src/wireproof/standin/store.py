"""What the stand-in remembers: tables of rows, in memory, and in a SQLite file when it is to survive a restart.

Memory answers every question; the file is written through, and read once, at the start. Only bytes (contents of
files) stay in the file alone when there is one. Rows are values: never change one in place, `put` another.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from wireproof.standin.refusals import not_found

Row = dict[str, Any]
# The kind of a row, what it was before (None: nothing), and what it is now.
Notice = Callable[[str, Row | None, Row], None]

SCHEMA = """
CREATE TABLE IF NOT EXISTS rows (
  number INTEGER PRIMARY KEY, kind TEXT NOT NULL, parent TEXT NOT NULL, id TEXT NOT NULL, row TEXT NOT NULL,
  data BLOB, UNIQUE (kind, parent, id)
);
"""


class Table:
    """Rows by id, in order of creation, of one kind and (for what belongs to something) one parent."""

    def __init__(self, kind: str, parent: str, file: sqlite3.Connection | None, notice: Notice | None) -> None:
        self._key = (kind, parent)
        self._notice = notice
        self._file = file
        self._rows: dict[str, Row] = {}
        self._data: dict[str, bytes] = {}

    def put(self, id: str, row: Row, data: bytes | None = None) -> None:
        """A new row, or another in the place of the old one. Bytes once given stay until others are."""
        before, self._rows[id] = self._rows.get(id), row
        if self._notice is not None:
            self._notice(self._key[0], before, row)
        if self._file is None:
            if data is not None:
                self._data[id] = data
            return
        self._file.execute(
            "INSERT INTO rows (kind, parent, id, row, data) VALUES (?, ?, ?, ?, ?) ON CONFLICT (kind, parent, id) "
            "DO UPDATE SET row = excluded.row, data = coalesce(excluded.data, data)",
            (*self._key, id, json.dumps(row), data),
        )

    def get(self, id: str) -> Row | None:
        return self._rows.get(id)

    def found(self, id: str, message: str, param: str | None = None, code: str | None = None) -> Row:
        """The row, or a 404 with this message."""
        row = self._rows.get(id)
        if row is None:
            raise not_found(message, param, code)
        return row

    def data(self, id: str) -> bytes:
        """The bytes of a row; b"" when it has none."""
        if self._file is None:
            return self._data.get(id, b"")
        query = "SELECT data FROM rows WHERE kind = ? AND parent = ? AND id = ?"
        found = self._file.execute(query, (*self._key, id)).fetchone()
        return bytes(found[0]) if found and found[0] is not None else b""

    def delete(self, id: str) -> None:
        self._rows.pop(id, None)
        self._data.pop(id, None)
        if self._file is not None:
            self._file.execute("DELETE FROM rows WHERE kind = ? AND parent = ? AND id = ?", (*self._key, id))

    def rows(self) -> list[Row]:
        """Oldest first."""
        return list(self._rows.values())

    def clear(self) -> None:
        self._rows.clear()
        self._data.clear()
        if self._file is not None:
            self._file.execute("DELETE FROM rows WHERE kind = ? AND parent = ?", self._key)

    def __contains__(self, id: str) -> bool:
        return id in self._rows

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def _restore(self, id: str, row: Row) -> None:
        self._rows[id] = row


class Store:
    """Every table. `notice` hears of every row that is put.

    ValueError when `path` is a file that is no SQLite database.
    """

    def __init__(self, path: Path | None = None, notice: Notice | None = None) -> None:
        self._notice = notice
        self._tables: dict[tuple[str, str], Table] = {}
        self._file = _opened(path) if path is not None else None
        if self._file is not None:
            for kind, parent, id, row in self._file.execute("SELECT kind, parent, id, row FROM rows ORDER BY number"):
                self.table(kind, parent)._restore(id, json.loads(row))

    def table(self, kind: str, parent: str = "") -> Table:
        key = (kind, parent)
        if key not in self._tables:
            self._tables[key] = Table(kind, parent, self._file, self._notice)
        return self._tables[key]

    def commit(self) -> None:
        """What was changed since the last time is on disk now, all of it or nothing."""
        if self._file is not None and self._file.in_transaction:
            self._file.commit()

    def clear(self) -> None:
        for table in self._tables.values():
            table.clear()
        self.commit()

    def close(self) -> None:
        if self._file is not None:
            self.commit()
            self._file.close()

    def sizes(self) -> Mapping[str, int]:
        """Rows by kind, for tests and the curious."""
        found: dict[str, int] = {}
        for (kind, _), table in self._tables.items():
            found[kind] = found.get(kind, 0) + len(table)
        return found


def _opened(path: Path) -> sqlite3.Connection:
    # The server runs in a thread of its own, which alone touches the file once it has started.
    file = sqlite3.connect(path, check_same_thread=False)
    try:
        file.execute("PRAGMA journal_mode = WAL")
        file.execute("PRAGMA synchronous = NORMAL")
        file.executescript(SCHEMA)
    except sqlite3.DatabaseError as wrong:
        file.close()
        raise ValueError(f"{path} is no file of the stand-in's state: {wrong}") from None
    return file
