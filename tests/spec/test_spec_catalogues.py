"""The catalogues beside the description: complete rows, sources that exist, numbers that can be."""

from __future__ import annotations

import itertools
import re
from typing import Any

import pytest

from wireproof.certification import load_contracts
from wireproof.content import shelf
from wireproof.spec import load_spec

SPEC = load_spec()
SOURCES = SPEC.catalogue("sources")["sources"]
ERRORS = SPEC.catalogue("errors")["rows"]
HEADERS = SPEC.catalogue("headers")["headers"]
DURATION = SPEC.catalogue("headers")["duration"]
MODELS = SPEC.catalogue("models")["models"]
TIERS = SPEC.catalogue("tiers")
LADDER = ("free", "tier-1", "tier-2", "tier-3", "tier-4", "tier-5")
DIMENSIONS = ("rpm", "rpd", "tpm", "ipm", "audio_minutes", "batch_queue_tokens")
KINDS = ("chat", "completion", "embedding", "moderation", "speech", "transcription", "realtime", "image", "video")
PRICES = (
    "usd_per_million",
    "usd_per_million_audio",
    "usd_per_million_image",
    "usd_per_image",
    "usd_per_minute",
    "usd_per_second",
)
# From the guide and the pages of models: what a cached token saves, by family.
CACHE_DISCOUNTS = {"gpt-6": 0.9, "gpt-5": 0.9, "o4": 0.75, "gpt-4.1": 0.75, "gpt-image": 0.75, "gpt-4o": 0.5}


def test_a_source_says_what_it_is_of_when_and_where() -> None:
    for tag, source in SOURCES.items():
        assert set(source) == {"kind", "what", "date", "where"}, tag
        assert source["kind"] in ("schema", "docs", "sdk", "observed"), tag
        assert re.fullmatch(r"20\d\d(-\d\d(-\d\d)?)?", source["date"]), tag


def test_every_row_names_sources_that_exist() -> None:
    rows: list[dict[str, Any]] = [
        *ERRORS,
        *HEADERS,
        DURATION,
        *MODELS.values(),
        *TIERS["tiers"].values(),
        *TIERS["groups"].values(),
        *TIERS["rules"],
        *TIERS["limits"].values(),
        *SPEC.catalogue("models")["processing"].values(),
    ]
    for row in rows:
        assert row["source"], row
        assert set(row["source"]) <= set(SOURCES), row


def test_no_source_is_idle() -> None:
    text = "".join(path.read_text() for path in shelf("spec").rglob("*.yaml") if path.name != "sources.yaml")
    text += "".join(f" {clause.source}," for clause in load_contracts()[0])
    assert [tag for tag in SOURCES if not re.search(rf"[\[ ]{re.escape(tag)}[ ,\]]", text)] == []


# ---- errors


def test_an_error_row_is_known_by_its_id_and_names_operations_that_exist() -> None:
    assert len({row["id"] for row in ERRORS}) == len(ERRORS)
    for row in ERRORS:
        assert set(row["operations"]) <= {*SPEC.operations, "*"}, row["id"]
        assert row["strength"] in ("documented", "observed"), row["id"]
        assert set(row) <= {
            "id", "case", "operations", "status", "type", "code", "param", "strength", "note", "source",
        }, row["id"]  # fmt: skip


@pytest.mark.parametrize("row", ERRORS, ids=lambda row: row["id"])
def test_what_an_error_row_allows_is_a_legal_error(row: dict[str, Any]) -> None:
    parts = [row.get(key, [None]) for key in ("code", "param")]
    for status, kind, code, param in itertools.product(row["status"], row.get("type", ["any"]), *parts):
        assert 400 <= status < 600
        body = {"error": {"message": "no", "type": kind, "code": code, "param": param}}
        assert SPEC.schema("ErrorEnvelope").holds(body)


# ---- headers


def syntax_of(name: str) -> re.Pattern[str]:
    return re.compile(next(row["syntax"] for row in HEADERS if row["name"] == name and row["direction"] == "response"))


HEADER_VALUES = [
    # name, legal, breaches
    (
        "x-ratelimit-reset-requests",
        ["18m43.156s", "39ms", "6m0s", "1s", "7.66s", "20ms", "7m12s", "5.202s", "1h0m0s", "24h", "0s", "2.6ms"],
        ["12", "", "2026-11-23T10:00:00Z", "1760000000", "1.5", "-1s", "6m 0s", "1d", "s", "PT6M", "5s1m", "1s\n"],
    ),
    ("x-ratelimit-limit-requests", ["60", "150000", "0"], ["1000;w=60", "-1", "1.5", "", "many", "60, 60"]),
    ("x-ratelimit-remaining-tokens", ["149984", "0"], ["-1", "", "149,984"]),
    ("retry-after", ["1", "56"], ["0", "1.5", "", "20ms", "Wed, 21 Oct 2026 07:28:00 GMT"]),
    ("openai-processing-ms", ["0", "412"], ["12 ms", "0.4", ""]),
    ("openai-poll-after-ms", ["5", "1000"], ["1s", "0.5", ""]),
    ("openai-version", ["2020-10-01"], ["1", "2020-10"]),
    ("x-request-id", ["req_0f1", "9d6a-44"], ["", "two words"]),
    (
        "content-type",
        ["application/json", "application/json; charset=utf-8", "text/event-stream;charset=utf-8"],
        ["text/plain", "application/octet-stream", "text/html", "application/jsonl"],
    ),
]


@pytest.mark.parametrize(("name", "legal", "breaches"), HEADER_VALUES, ids=[row[0] for row in HEADER_VALUES])
def test_the_syntax_of_a_header_takes_the_legal_and_nothing_else(
    name: str, legal: list[str], breaches: list[str]
) -> None:
    pattern = syntax_of(name)
    assert [value for value in legal if not pattern.fullmatch(value)] == []
    assert [value for value in breaches if pattern.fullmatch(value)] == []


def test_durations_that_were_seen_are_durations() -> None:
    for name in ("x-ratelimit-reset-requests", "x-ratelimit-reset-tokens", "x-ratelimit-reset-project-tokens"):
        assert syntax_of(name).pattern == DURATION["syntax"]
    assert all(re.fullmatch(DURATION["syntax"], value) for value in DURATION["seen"])
    assert set(re.findall("[a-zµ]+", "".join(DURATION["seen"]))) <= set(DURATION["seconds"])


def test_the_description_and_the_catalogue_spell_headers_alike() -> None:
    """Names and syntax of every header in openapi.yaml's answers are those of headers.yaml."""
    rows = {row["name"]: row for row in HEADERS if row["direction"] == "response"}
    document = SPEC.document
    answers = [answer for op in SPEC.operations.values() for answer in op.node["responses"].values()]
    for answer in answers:
        for name, ref in SPEC.resolved(answer).get("headers", {}).items():
            schema = SPEC.resolved(SPEC.resolved(ref)["schema"])
            if "pattern" in schema:
                pattern = re.compile(schema["pattern"])
                for legal in [value for row in HEADER_VALUES if row[0] == name for value in row[1]]:
                    assert pattern.search(legal), (name, legal)
                for breach in [value for row in HEADER_VALUES if row[0] == name for value in row[2]]:
                    assert breach.endswith("\n") or not pattern.search(breach), (name, breach)
            assert name in rows
    assert document["components"]["headers"]


def test_a_header_row_is_complete() -> None:
    for row in HEADERS:
        re.compile(row["syntax"])
        assert row["name"] == row["name"].lower()
        assert row["direction"] in ("request", "response"), row
        assert row["presence"] in ("always", "when-limited", "on-429", "may"), row
        assert row["level"] in ("MUST", "SHOULD", "MAY"), row
        assert row["on"] in ("answer", "2xx", "limited", "429", "request"), row


# ---- models


def numbers(node: Any) -> list[float]:
    return [number for part in node.values() for number in numbers(part)] if isinstance(node, dict) else [node]


@pytest.mark.parametrize("name", MODELS)
def test_a_model_has_a_kind_a_price_and_a_date(name: str) -> None:
    model = MODELS[name]
    assert model["kind"] in KINDS
    assert model.get("context_window", 1) > 0
    assert model["as_of"].startswith("2026")
    prices = [price for key in PRICES if key in model for price in numbers(model[key])]
    assert prices or model["note"].startswith(("Free of charge.", "No price was found"))
    assert all(price > 0 for price in prices)
    assert ("dimensions" in model) == (model["kind"] == "embedding")
    if model["kind"] in ("chat", "completion", "embedding"):
        assert ("output" in model["usd_per_million"]) == (model["kind"] != "embedding")


@pytest.mark.parametrize("name", [name for name in MODELS if "efforts" in MODELS[name]])
def test_the_efforts_of_a_reasoning_model_are_those_of_the_request(name: str) -> None:
    schema = SPEC.document["components"]["schemas"]["ChatRequest"]["properties"]["reasoning_effort"]
    assert MODELS[name]["reasoning"] is True
    assert set(MODELS[name]["efforts"]) <= set(schema["enum"])
    assert MODELS[name].get("default_effort", "low") in MODELS[name]["efforts"]


@pytest.mark.parametrize("family", CACHE_DISCOUNTS)
def test_a_family_has_one_cache_discount(family: str) -> None:
    found = {
        row["cache_discount"] for name, row in MODELS.items() if name.startswith(family) and "cache_discount" in row
    }
    assert found == {CACHE_DISCOUNTS[family]}


def test_a_batch_costs_half() -> None:
    assert SPEC.catalogue("models")["processing"]["batch"]["factor"] == 0.5


@pytest.mark.parametrize("name", [name for name in MODELS if "cache_discount" in MODELS[name]])
def test_a_cache_discount_is_what_the_two_prices_say(name: str) -> None:
    prices = MODELS[name]["usd_per_million"]
    assert prices["cached_input"] == pytest.approx(prices["input"] * (1 - MODELS[name]["cache_discount"]))


@pytest.mark.parametrize("name", [name for name in MODELS if "group" in MODELS[name]])
def test_a_model_and_its_group_know_each_other(name: str) -> None:
    assert name in TIERS["groups"][MODELS[name]["group"]]["models"]


def test_a_model_is_in_one_group_of_its_ordinary_context() -> None:
    ordinary = [
        name for group in TIERS["groups"].values() if "over_input_tokens" not in group for name in group["models"]
    ]
    assert len(ordinary) == len(set(ordinary))
    assert [name for name in MODELS if name not in ordinary and "note" not in MODELS[name]] == []


# ---- tiers


def test_the_ladder_of_tiers_rises() -> None:
    assert tuple(TIERS["tiers"]) == LADDER
    for key in ("qualify_usd", "monthly_usd"):
        steps = [TIERS["tiers"][tier][key] for tier in LADDER]
        assert steps == sorted(steps)


@pytest.mark.parametrize("name", TIERS["groups"])
def test_limits_never_fall_from_tier_to_tier(name: str) -> None:
    group = TIERS["groups"][name]
    assert group["as_of"].startswith("202")
    assert group["models"]
    assert set(group["limits"]) <= set(LADDER)
    rows = {tier: group["limits"][tier] for tier in LADDER if group["limits"].get(tier)}
    columns = {frozenset(row) for row in rows.values()}
    assert len(columns) == 1, "a table has the same columns in each of its rows"
    assert next(iter(columns)) <= set(DIMENSIONS)
    for dimension in next(iter(columns)):
        steps = [
            float("inf") if row[dimension] is None and dimension == "rpd" else row[dimension]
            for tier, row in rows.items()
            if f"{tier}.{dimension}" not in group.get("irregular", [])
        ]
        numbers = [step for step in steps if step is not None]
        assert numbers == sorted(numbers), dimension


def test_an_irregular_number_is_one_that_falls() -> None:
    """A mark that excuses nothing is struck out."""
    for name, group in TIERS["groups"].items():
        for cell in group.get("irregular", []):
            tier, dimension = cell.split(".")
            below = group["limits"][LADDER[LADDER.index(tier) - 1]]
            assert group["limits"][tier][dimension] < below[dimension], (name, cell)
            assert "note" in group, name


def test_rules_are_known_by_their_ids() -> None:
    ids = [rule["id"] for rule in TIERS["rules"]]
    assert len(set(ids)) == len(ids)


# One number of each table of facts, so that a slip of the hand in a whole column shows.
PUBLISHED = [
    ("frontier", "tier-5", "batch_queue_tokens", 15_000_000_000),
    ("gpt-5.5-long-context", "tier-2", "tpm", 1_000_000),
    ("gpt-5.4-mini", "tier-5", "tpm", 180_000_000),
    ("gpt-5.4-nano", "tier-1", "tpm", 200_000),
    ("o4-mini", "tier-2", "rpm", 2_000),
    ("gpt-4.1", "tier-1", "tpm", 30_000),
    ("gpt-4.1-long-context", "tier-5", "rpm", 4_000),
    ("gpt-4o-mini", "tier-1", "rpd", 10_000),
    ("gpt-4o-mini", "free", "rpm", 3),
    ("text-embedding-3-large", "free", "rpd", 2_000),
    ("omni-moderation", "tier-1", "tpm", 10_000),
    ("gpt-4o-transcribe-diarize", "tier-5", "tpm", 6_000_000),
    ("gpt-transcribe", "tier-5", "rpm", 30_000),
    ("gpt-live-transcribe", "tier-3", "tpm", 390_000),
    ("gpt-realtime", "tier-1", "rpd", 1_000),
    ("gpt-realtime-mini", "tier-5", "tpm", 15_000_000),
    ("gpt-realtime-whisper", "tier-4", "audio_minutes", 1_000),
    ("gpt-realtime-translate", "tier-5", "audio_minutes", 850),
    ("gpt-image", "tier-4", "ipm", 150),
    ("dall-e-3", "free", "ipm", 1),
    ("dall-e-2", "free", "ipm", 5),
    ("whisper-1", "free", "rpd", 200),
    ("gpt-3.5-turbo", "free", "batch_queue_tokens", 200_000),
]


@pytest.mark.parametrize(("group", "tier", "dimension", "number"), PUBLISHED)
def test_a_table_stands_as_published(group: str, tier: str, dimension: str, number: int) -> None:
    assert TIERS["groups"][group]["limits"][tier][dimension] == number


def test_nobody_publishes_tokens_a_day() -> None:
    rows = [row for group in TIERS["groups"].values() for row in group["limits"].values() if row]
    assert rows
    assert not any("tpd" in row for row in rows)


def test_a_limit_beside_the_models_has_a_number_a_unit_and_operations_that_exist() -> None:
    for name, row in TIERS["limits"].items():
        assert set(row) <= {"most", "unit", "per", "operations", "note", "source"}, name
        assert row["most"] > 0, name
        assert row["unit"], name
        assert set(row.get("operations", [])) <= set(SPEC.operations), name
