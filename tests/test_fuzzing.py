"""A short run of Schemathesis, the same each time; `make fuzz` is the long one."""

from __future__ import annotations

from fuzz_explained import EXPLAINED, explanation, table
from fuzzing import Fuzzed, fuzz, fuzzable

from wireproof.content import shelf

DOCS = shelf("spec").parent / "docs"


def told(fuzzed: Fuzzed) -> list[str]:
    return [f"{one.operation} {one.check}: {one.message} {one.request} {one.answer}" for one in fuzzed.findings]


def test_a_request_to_every_operation_and_from_one_to_the_next_finds_nothing() -> None:
    fuzzed = fuzz(examples=1, phases=("examples", "fuzzing", "stateful"))
    assert told(fuzzed) == []
    assert fuzzed.errors == []
    assert len(fuzzed.operations) == len(fuzzable())


def test_every_value_at_and_beyond_a_bound_is_answered_as_described() -> None:
    fuzzed = fuzz(examples=1, phases=("coverage",), only="/containers*")
    assert told(fuzzed) == []
    assert fuzzed.errors == []
    assert fuzzed.cases > 100


def test_the_page_on_fuzzing_explains_what_is_explained_and_no_more() -> None:
    assert table() in (DOCS / "fuzzing.md").read_text()


def test_an_explanation_covers_no_failure_of_the_server() -> None:
    names = [one.name for one in EXPLAINED]
    assert len(set(names)) == len(names)
    assert all(one.says.startswith("^4") or one.check == "negative_data_rejection" for one in EXPLAINED)
    for one in EXPLAINED:
        assert explanation(one.check, "POST /files", "500 no item with id") is None
        assert explanation("not_a_server_error", "POST /files", "400 no item with id") is None
