"""Judging many exchanges by many clauses: what is laid out and remembered changes no verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from certified import certified, contents_of_contracts
from made import answer

from wireproof.clause import Exchange, Inconclusive, remembered
from wireproof.judge import Pile, judge


def fresh(exchanges: Sequence[Exchange]) -> list[Exchange]:
    """The same, with nothing read yet."""
    return [replace(exchange, request=replace(exchange.request)) for exchange in exchanges]


FAULTS = ("paging.skips", "chat.stream.id-changes", "usage.total-wrong")


def test_a_clause_finds_among_all_others_what_it_finds_alone() -> None:
    clauses, _ = contents_of_contracts()
    exchanges = certified(*FAULTS).exchanges
    together = judge(clauses, fresh(exchanges))
    assert len([verdict for verdict in together if verdict.findings]) >= len(FAULTS)
    for clause, verdict in zip(clauses, together, strict=True):
        assert judge([clause], fresh(exchanges)) == [verdict], clause.id


def test_the_pile_gives_what_evidence_means_in_order_of_sending() -> None:
    clauses, _ = contents_of_contracts()
    exchanges = certified().exchanges
    pile = Pile(exchanges)
    for evidence in (clause.evidence for clause in clauses):
        of_all = not evidence.operations and not evidence.probes
        meant = [
            e
            for e in exchanges
            if evidence.means(e.probe, e.operation, e.request.asked)
            and not (of_all and (e.request.is_elsewhere or e.request.is_handshake))
        ]
        assert [e.id for e in pile.meant(evidence)] == [e.id for e in meant]


def test_a_reading_is_made_once_and_so_is_its_failure() -> None:
    made: list[str] = []

    @remembered
    def words(exchange: Exchange) -> list[str]:
        made.append(exchange.probe)
        if exchange.probe == "mute":
            raise Inconclusive("nothing said")
        return ["said"]

    spoken, mute = answer({}, probe="spoken"), answer({}, probe="mute")
    assert words(spoken) is words(spoken)
    for _ in range(2):
        with pytest.raises(Inconclusive, match="nothing said"):
            words(mute)
    assert made == ["spoken", "mute"]
    assert words(replace(spoken)) == ["said"]
    assert made == ["spoken", "mute", "spoken"]
