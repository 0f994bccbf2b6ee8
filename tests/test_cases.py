"""Drawing property-based cases: counted, seeded, cheap, and right about what is legal."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from functools import cache
from typing import Any

import pytest
from certified import certified, standin_plan

from wireproof.cases import PINNED, draw
from wireproof.clause import COMPLETION_MODEL, EMBEDDING_MODEL, MODEL, Probe
from wireproof.spec import load_spec

SEEDS = range(21)
DRAWN = ["createChatCompletion", "listChatCompletions", "createCompletion", "createEmbedding"]


@cache
def drawn(seed: int, count: int = 10) -> tuple[Probe, ...]:
    return tuple(draw(load_spec(), count, seed))


def bodies(probes: tuple[Probe, ...], kind: str) -> list[tuple[str, dict[str, Any]]]:
    """Operation and body of the POST cases of one kind."""
    chosen = [probe for probe in probes if f".{kind}." in probe.id and probe.first.method == "POST"]
    return [(probe.id.split(".")[1], probe.first.body) for probe in chosen]


def test_half_of_the_cases_are_positive() -> None:
    ids = [probe.id for probe in drawn(1)]
    for operation in ("createChatCompletion", "createCompletion", "createEmbedding"):
        assert sum(id.startswith(f"cases.{operation}.positive.") for id in ids) == 5
        assert sum(id.startswith(f"cases.{operation}.negative.") for id in ids) == 5
    assert "cases.createChatCompletion.positive.003" in ids
    assert len(set(ids)) == len(ids)


def test_operations_on_one_object_and_without_fields_are_left_alone() -> None:
    assert {probe.id.split(".")[1] for probe in drawn(1)} == set(DRAWN)


def test_operations_can_be_chosen() -> None:
    probes = draw(load_spec(), 4, 1, ["createEmbedding"])
    assert [probe.id.split(".", 2)[2] for probe in probes] == [
        "positive.001", "positive.002", "negative.001", "negative.002",
    ]  # fmt: skip


def test_no_cases_are_none() -> None:
    assert draw(load_spec(), 0, 1) == []


def test_one_case_is_positive() -> None:
    assert [probe.id for probe in draw(load_spec(), 1, 1, ["createEmbedding"])] == [
        "cases.createEmbedding.positive.001"
    ]


def test_the_same_seed_draws_the_same_cases_and_another_draws_others() -> None:
    again = draw(load_spec(), 10, 3)
    assert [(probe.id, probe.first, probe.about) for probe in again] == [
        (probe.id, probe.first, probe.about) for probe in drawn(3)
    ]
    assert [probe.first for probe in drawn(3)] != [probe.first for probe in drawn(4)]


def test_a_process_with_other_modules_draws_the_same_cases() -> None:
    script = (
        "import json; from wireproof.cases import draw; from wireproof.spec import load_spec; "
        "print(json.dumps([probe.first.body for probe in draw(load_spec(), 10, 3)]))"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert json.loads(told) == [probe.first.body for probe in drawn(3)]


def test_ten_cases_of_every_operation_are_drawn_in_three_seconds() -> None:
    began = time.perf_counter()
    draw(load_spec(), 10, 99)
    assert time.perf_counter() - began < 3


def test_the_module_alone_brings_no_heavy_library() -> None:
    script = "import sys, wireproof.cases; print({'schemathesis', 'hypothesis'} & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert told.strip() == "set()"


@pytest.mark.parametrize("seed", SEEDS)
def test_positive_cases_keep_the_published_schema(seed: int) -> None:
    operations = load_spec().operations
    for operation, body in bodies(drawn(seed), "positive"):
        assert operations[operation].request_violations(body) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_negative_cases_break_it_in_one_field(seed: int) -> None:
    operations = load_spec().operations
    for operation, body in bodies(drawn(seed), "negative"):
        violations = operations[operation].request_violations(body)
        assert {v.pointer.split("/")[1] if v.pointer else v.expected for v in violations} != set()
        assert len({v.pointer.split("/")[1] if v.pointer else v.expected for v in violations}) == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_every_case_is_cheap(seed: int) -> None:
    for probe in drawn(seed):
        body = probe.first.body or {}
        if probe.first.method == "POST" and probe.needs != EMBEDDING_MODEL:
            assert body["max_tokens"] == 1
        count = body.get("n")
        assert not isinstance(count, int | float) or count <= 2 or count == 7.5
        assert len(json.dumps(body, ensure_ascii=False)) < 1500
        if ".positive." in probe.id:
            assert not {"tools", "store", "service_tier", "best_of"} & set(body)


def test_models_are_placeholders_of_the_right_kind() -> None:
    needs = {probe.id.split(".")[1]: probe.needs for probe in drawn(1)}
    assert needs == {
        "createChatCompletion": MODEL,
        "listChatCompletions": MODEL,
        "createCompletion": COMPLETION_MODEL,
        "createEmbedding": EMBEDDING_MODEL,
    }
    for operation, body in bodies(drawn(1), "positive"):
        assert body["model"] == needs[operation]
        assert PINNED.items() <= body.items() or operation == "createEmbedding"


def test_a_negative_case_says_what_is_wrong() -> None:
    about = [probe.about for probe in drawn(1, 100) if ".negative." in probe.id]
    assert "/temperature is 3, documented is at most 2" in about
    assert "'model' is missing" in about
    assert 'query limit is "wireproof"' in about


@pytest.mark.parametrize("seed", SEEDS)
def test_no_draw_raises_a_finding_on_the_stand_in(seed: int) -> None:
    run = certified(plan=standin_plan(drawn(seed)))
    assert {id: verdict.findings for id, verdict in run.verdicts.items() if verdict.outcome == "fail"} == {}
    assert run.verdicts["cases.positive"].outcome == run.verdicts["cases.negative"].outcome == "pass"
