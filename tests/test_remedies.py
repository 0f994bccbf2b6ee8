"""spec/remedies.yaml: every clause is told how a server is mended, and no rule is there in vain."""

from __future__ import annotations

import pytest

from wireproof.certification import load_contracts
from wireproof.claims import REFUSED
from wireproof.remedies import all_remedies, remedy_for

IDS = [one.id for one in (*load_contracts()[0], REFUSED)]


def test_every_clause_has_a_remedy() -> None:
    assert [id for id in IDS if remedy_for(id) is None] == []


def test_every_rule_is_the_first_for_a_clause() -> None:
    first = {remedy_for(id) for id in IDS}
    idle = [one.clauses for one in all_remedies()[:-1] if one not in first]  # the last is for clauses to come
    assert idle == []


@pytest.mark.parametrize("id", ["acme.id", "acme.region", "acme.delete"])
def test_clauses_of_others_are_left_to_them(id: str) -> None:
    assert remedy_for(id) is None


@pytest.mark.parametrize(
    ("id", "word"),
    [
        ("auth.none", "--api-key"),
        ("errors.envelope", "RequestValidationError"),
        ("chat.tools.leak", "--tool-call-parser"),
        ("wire.request-id", "--enable-request-id-headers"),
        ("responses.incomplete", "response.incomplete"),
        ("batches.bodies", "not a string of JSON"),
        ("models.retrieve", "{model:path}"),
    ],
)
def test_a_remedy_names_the_switch(id: str, word: str) -> None:
    remedy = remedy_for(id)
    assert remedy is not None
    assert word in remedy.mend
