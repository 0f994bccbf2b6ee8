"""What a user asked for: a certification before it is planned, and as its journal remembers it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from wireproof import __version__
from wireproof.fetch import Bounds, Target
from wireproof.judge import FailOn
from wireproof.plan import Budget, Models
from wireproof.profiles import DEFAULT


class WrongOrder(ValueError):
    """What the user asked for can't be done; the message is one line."""


@dataclass(frozen=True)
class Order:
    """What a user asked for.

    `profiles` and `level` say which clauses, `only` narrows them; `requirements` pins the set of a date; `dialect`
    relaxes some; `claims` say which features are served; `samples` bounds the tries of a clause that needs an
    obedient model; `cases` are property-based requests an operation; `contracts` folders of the user's own.
    """

    target: Target
    models: Models
    only: tuple[str, ...] = ()
    profiles: tuple[str, ...] = DEFAULT
    level: str | None = None
    requirements: str | None = None
    dialect: str | None = None
    claims: Mapping[str, bool] | None = None
    samples: int = 1
    cases: int = 0
    seed: int = 1
    budget: Budget = field(default_factory=Budget)
    bounds: Bounds = field(default_factory=Bounds)
    gate: int = 8
    fail_on: FailOn = "SHOULD"
    key_variable: str = "OPENAI_API_KEY"
    contracts: tuple[Path, ...] = ()
    about: Mapping[str, str] = field(default_factory=dict)  # of a backend of ours, whose port changes


def header_of(order: Order) -> dict[str, Any]:
    """The head of the journal, from which `judge` repeats the run and `--resume` goes on with it."""
    return {
        "wireproof": __version__,
        "target": target_of(order),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "order": fingerprint(order),
        "only": list(order.only),
        "profiles": list(order.profiles),
        "level": order.level,
        "requirements": order.requirements,
        "dialect": order.dialect,
        "claims": None if order.claims is None else dict(order.claims),
        "cases": order.cases,
        "seed": order.seed,
        "fail_on": order.fail_on,
        "key_variable": order.key_variable,
    }


def target_of(order: Order) -> dict[str, str]:
    models = order.models
    named = {"model": models.chat, "embedding_model": models.embedding, "completion_model": models.completion}
    named |= {f"{kind}_model": name for kind, name in models.others.items()}
    return {
        "base_url": order.target.base_url,
        **order.about,
        **{name: value for name, value in named.items() if value},
    }


def models_of(target: Mapping[str, str]) -> Models:
    """The models that `target_of` names."""
    kinds = {name.removesuffix("_model"): id for name, id in target.items() if name.endswith("_model")}
    embedding, completion = kinds.pop("embedding", None), kinds.pop("completion", None)
    return Models(target.get("model"), embedding, completion, kinds)


def fingerprint(order: Order) -> str:
    """Tells whether a journal belongs to the same question: models, selection and cases (the port may differ)."""
    models, chosen = order.models, [order.profiles, order.level, order.only]
    asked = [models.chat, models.embedding, models.completion, models.others, *chosen, order.cases, order.seed]
    return hashlib.sha256(json.dumps([__version__, *asked]).encode()).hexdigest()[:16]
