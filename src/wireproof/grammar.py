"""Register automata over the events of a stream: which symbol may follow which, and what to say when not.

A stream is read as symbols; each carries a key (the choice, the tool call) and every key has a state of
its own. A machine judges one rule: a symbol that has no edge from the present state is an offence, and
the state stays, so that one slip does not hide the next. The tables live in `contracts/`.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Symbol:
    """What one event means to a machine. `at` is the index of the event; `shown` how a report quotes it."""

    name: str
    at: int
    key: Hashable = None
    shown: str = ""


@dataclass(frozen=True, slots=True)
class Offence:
    """The first event that broke the rule for its key. `at` is None when the stream ended too early."""

    at: int | None
    key: Hashable
    expected: tuple[str, ...]
    got: str


@dataclass(frozen=True)
class Machine:
    """One rule. `edges[state][symbol]` is the next state; symbols that no state knows are ignored.

    `final` are the states in which a stream may end; empty means any.
    """

    start: str
    edges: Mapping[str, Mapping[str, str]]
    final: frozenset[str] = frozenset()

    def offences(self, symbols: Iterable[Symbol], keys: Iterable[Hashable] = ()) -> Iterator[Offence]:
        """Offences in order of events, then the keys that ended in a state that is not final.

        `keys` are those that must be there even if no symbol names them.
        """
        known = frozenset(name for row in self.edges.values() for name in row)
        states = dict.fromkeys(keys, self.start)
        for symbol in symbols:
            if symbol.name not in known:
                continue
            state = states.setdefault(symbol.key, self.start)
            row = self.edges.get(state, {})
            if symbol.name in row:
                states[symbol.key] = row[symbol.name]
            else:
                yield Offence(symbol.at, symbol.key, _expected(row), symbol.shown or symbol.name)
        for key, state in states.items():
            if self.final and state not in self.final:
                yield Offence(None, key, _expected(self.edges.get(state, {})), "the end of the stream")

    def first_offence(self, symbols: Iterable[Symbol], keys: Iterable[Hashable] = ()) -> Offence | None:
        return next(self.offences(symbols, keys), None)


def _expected(row: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(sorted(row)) or ("nothing more",)
