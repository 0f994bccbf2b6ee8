"""Drawing values from a JSON Schema: schemathesis makes the strategies, Hypothesis draws. Heavy; import it late.

Nothing is sent: a schema goes in as the body of an operation of a made-up document, values come out. The same
seed draws the same values on every machine: what Hypothesis would add by itself, constants it finds in the
sources of the modules that happen to be loaded, is left out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS, HypothesisProvider
from hypothesis.internal.constants_ast import Constants
from hypothesis.strategies import SearchStrategy
from schemathesis.config import SchemathesisConfig

BACKEND = "wireproof"
# Of the draws a share is the same again, and more so the fewer values there are.
MOST_DRAWS_EACH = 3


class UnlocatedProvider(HypothesisProvider):
    """Hypothesis's own provider, blind to the constants of whatever modules are loaded."""

    _local_constants = Constants()


def bodies(schema: Mapping[str, Any], count: int, seed_number: int) -> list[dict[str, Any]]:
    """At most `count` different objects that keep the schema; fewer when there are not so many.

    `schema` stands alone: it refers to nothing outside.
    """
    document = {
        "openapi": "3.1.0",
        "info": {"title": "drawn", "version": "1"},
        "paths": {
            "/drawn": {
                "post": {
                    "requestBody": {"required": True, "content": {"application/json": {"schema": dict(schema)}}},
                    "responses": {"200": {"description": "never asked"}},
                }
            }
        },
    }
    described = schemathesis.openapi.from_dict(document, config=SchemathesisConfig())
    cases = described["/drawn"]["POST"].as_strategy(schemathesis.GenerationMode.POSITIVE)
    return [case.body for case in distinct(cases, count, seed_number, lambda case: case.body)]


def distinct(strategy: SearchStrategy[Any], count: int, seed_number: int, key: Callable[[Any], Any]) -> list[Any]:
    """At most `count` draws whose `key`, as JSON, differs."""
    AVAILABLE_PROVIDERS.setdefault(BACKEND, f"{__name__}.{UnlocatedProvider.__name__}")
    found: dict[str, Any] = {}

    @seed(seed_number)
    @settings(
        max_examples=count * MOST_DRAWS_EACH,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        backend=BACKEND,
    )
    @given(strategy)
    def draw(value: Any) -> None:
        if len(found) < count:
            found.setdefault(json.dumps(key(value), sort_keys=True), value)

    draw()
    return list(found.values())
