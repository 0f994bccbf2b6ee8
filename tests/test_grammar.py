"""The engine of the register automata."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wireproof.grammar import Machine, Offence, Symbol

# Open, any number of words, closed, and nothing more.
DOOR = Machine(
    "new", {"new": {"open": "ready"}, "ready": {"word": "ready", "close": "shut"}, "shut": {}}, frozenset({"shut"})
)


def symbols(*names: str, key: object = None) -> list[Symbol]:
    return [Symbol(name, at, key) for at, name in enumerate(names)]


def test_a_word_of_the_language_has_no_offence() -> None:
    assert list(DOOR.offences(symbols("open", "word", "word", "close"))) == []


def test_an_offence_names_the_event_and_what_was_expected() -> None:
    assert DOOR.first_offence(symbols("word", "open", "close")) == Offence(0, None, ("open",), "word")
    assert DOOR.first_offence(symbols("open", "open", "close")) == Offence(1, None, ("close", "word"), "open")


def test_after_the_last_state_nothing_more_is_expected() -> None:
    offence = DOOR.first_offence(symbols("open", "close", "word"))
    assert offence == Offence(2, None, ("nothing more",), "word")


def test_a_slip_does_not_hide_the_next() -> None:
    found = DOOR.offences(symbols("word", "open", "open", "close", "close"))
    assert [offence.at for offence in found] == [0, 2, 4]


def test_a_stream_that_ends_early_is_an_offence_without_an_event() -> None:
    assert list(DOOR.offences(symbols("open"))) == [Offence(None, None, ("close", "word"), "the end of the stream")]


def test_each_key_has_a_state_of_its_own() -> None:
    mixed = [
        Symbol(name, at, key) for at, (name, key) in enumerate([("open", 0), ("open", 1), ("close", 1), ("close", 0)])
    ]
    assert list(DOOR.offences(mixed)) == []
    assert [offence.key for offence in DOOR.offences(mixed[:3])] == [0]


def test_a_key_that_must_be_there_is_missed() -> None:
    found = list(DOOR.offences(symbols("open", "close", key=0), keys=[0, 1]))
    assert found == [Offence(None, 1, ("open",), "the end of the stream")]


def test_symbols_that_no_state_knows_are_ignored() -> None:
    assert list(DOOR.offences(symbols("ping", "open", "usage", "close", "ping"))) == []


def test_without_final_states_a_stream_may_end_anywhere() -> None:
    endless = Machine("new", {"new": {"open": "new"}})
    assert list(endless.offences(symbols("open", "open"), keys=[7])) == []


def test_an_offence_quotes_what_the_symbol_shows() -> None:
    offence = DOOR.first_offence([Symbol("word", 3, 0, 'content "hi"')])
    assert offence is not None and offence.got == 'content "hi"'


@given(st.lists(st.tuples(st.sampled_from(["open", "word", "close", "ping"]), st.integers(0, 2))))
def test_interleaved_keys_are_judged_as_each_alone(told: list[tuple[str, int]]) -> None:
    mixed = [Symbol(name, at, key) for at, (name, key) in enumerate(told)]
    alone = [offence for key in (0, 1, 2) for offence in DOOR.offences(s for s in mixed if s.key == key)]
    assert sorted(map(str, DOOR.offences(mixed))) == sorted(map(str, alone))
