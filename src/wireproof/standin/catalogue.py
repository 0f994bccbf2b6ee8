"""Which models the stand-in has, and the `/v1/models` answers made of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from wireproof.standin.refusals import Refused, not_found
from wireproof.standin.wire import Answer, json_answer, refusal

SERVED = (
    "gpt-4.1-mini",
    "gpt-4o-mini",
    "gpt-3.5-turbo-instruct",
    "text-embedding-3-small",
    "text-embedding-3-large",
)
DEFAULT_MODEL = SERVED[0]
# Any moment would do; it is the release of gpt-4.1-mini, 2025-04-14.
CREATED = 1_744_588_800

# Used for what spec/models.yaml does not say of a served model.
FALLBACK: Mapping[str, Mapping[str, Any]] = {
    "gpt-4.1-mini": {"snapshot": "gpt-4.1-mini-2025-04-14", "kind": "chat", "context_window": 1_047_576,
                     "max_output_tokens": 32_768},
    "gpt-4o-mini": {"snapshot": "gpt-4o-mini-2024-07-18", "kind": "chat", "context_window": 128_000,
                    "max_output_tokens": 16_384},
    "gpt-3.5-turbo-instruct": {"kind": "completion", "context_window": 4_096, "max_output_tokens": 4_096},
    "text-embedding-3-small": {"kind": "embedding", "context_window": 8_192, "dimensions": 1_536},
    "text-embedding-3-large": {"kind": "embedding", "context_window": 8_192, "dimensions": 3_072},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Model:
    """`id` is what may be asked for, `snapshot` what answers; `facts` is the id of the published row it copies."""

    id: str
    snapshot: str
    kind: str
    context_window: int
    max_output_tokens: int
    dimensions: int
    facts: str


def served(also: Iterable[str] = ()) -> dict[str, Model]:
    """Every model by each name it answers to: alias, snapshot, and the names in `also` for the default one."""
    found: dict[str, Model] = {}
    for name in SERVED:
        model = _model(name)
        found[model.id] = model
        found.setdefault(model.snapshot, replace(model, id=model.snapshot))
    for name in also:
        found.setdefault(name, replace(found[DEFAULT_MODEL], id=name, snapshot=name))
    return found


@cache
def _published() -> Mapping[str, Mapping[str, Any]]:
    from wireproof.spec import load_spec

    try:
        models: Mapping[str, Mapping[str, Any]] = load_spec().catalogue("models")["models"]
    except FileNotFoundError:
        return {}
    return models


def _model(name: str) -> Model:
    facts = {**FALLBACK[name], **{k: v for k, v in _published().get(name, {}).items() if v is not None}}
    return Model(
        id=name,
        snapshot=str(facts.get("snapshot", name)),
        kind=str(facts["kind"]),
        context_window=int(facts["context_window"]),
        max_output_tokens=int(facts.get("max_output_tokens", 0)),
        dimensions=int(facts.get("dimensions", 0)),
        facts=name,
    )


def card(model: Model) -> dict[str, Any]:
    return {"id": model.id, "object": "model", "created": CREATED, "owned_by": "system"}


def list_models(models: Mapping[str, Model]) -> Answer:
    return json_answer({"object": "list", "data": [card(model) for model in models.values()]})


def retrieve_model(models: Mapping[str, Model], name: str) -> Answer:
    return json_answer(card(_known(models, name)))


def delete_model(models: Mapping[str, Model], name: str) -> Answer:
    """Only fine-tuned models can be deleted, and here are none."""
    _known(models, name)
    return refusal(403, f"The model `{name}` is not a fine-tuned model of yours and cannot be deleted.")


def _known(models: Mapping[str, Model], name: str) -> Model:
    if name not in models:
        raise not_found(f"The model '{name}' does not exist", "model", "model_not_found")
    return models[name]


def model_for(models: Mapping[str, Model], name: str, kind: str) -> Model:
    """The model a request names; refused when there is none, or when it does something else."""
    from wireproof.standin.refusals import unknown_model

    model = models.get(name)
    if model is None:
        raise unknown_model(name)
    if model.kind != kind:
        raise Refused(refusal(404, f"This is not a {kind} model and thus not supported here: {name}.", param="model"))
    return model
