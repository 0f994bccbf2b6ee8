"""Which models the stand-in has, and the `/v1/models` answers made of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from wireproof.spec import load_spec
from wireproof.standin.refusals import Refused, not_found, unknown_model
from wireproof.standin.wire import Answer, json_answer, refusal

SERVED = (
    "gpt-4.1-mini",
    "gpt-4o-mini",
    "gpt-5.4-mini",
    "gpt-5.4-nano",
    "o4-mini",
    "gpt-3.5-turbo-instruct",
    "text-embedding-3-small",
    "text-embedding-3-large",
    "omni-moderation-latest",
    "text-moderation-latest",
    "gpt-image-1",
    "gpt-image-1.5",
    "gpt-image-2.5-flare",
    "dall-e-2",
    "dall-e-3",
    "tts-1",
    "gpt-4o-mini-tts",
    "whisper-1",
    "gpt-4o-transcribe",
    "gpt-4o-mini-transcribe",
    "gpt-4o-transcribe-diarize",
    "gpt-transcribe",
    "sora-2",
    "sora-2-pro",
    "gpt-realtime",
    "gpt-realtime-1.5",
    "gpt-realtime-2.1",
    "gpt-realtime-mini",
)
DEFAULT_MODEL = SERVED[0]
# Any moment would do; it is the release of gpt-4.1-mini, 2025-04-14.
CREATED = 1_744_588_800

# Where no table of limits was found, or none for most tiers, that of a sibling stands in.
LIMITS_AS = {
    "text-embedding-3-small": "text-embedding-3-large",
    "text-moderation-latest": "omni-moderation-latest",
    "dall-e-2": "dall-e-3",
    "tts-1": "gpt-4o-mini-tts",
    "whisper-1": "gpt-4o-mini-transcribe",
    "gpt-4o-transcribe": "gpt-4o-transcribe-diarize",
    "sora-2-pro": "sora-2",
}


@dataclass(frozen=True, slots=True)
class Model:
    """`id` is what may be asked for, `snapshot` what answers; `limits_as` names whose published limits hold.

    `reasons`: it thinks before it answers, in tokens that are counted and not shown; `efforts` says how hard it may be
    told to (any that the schema has when empty), `default_effort` how hard it does unless told. `refuses`: fields that
    it does not take.
    """

    id: str
    snapshot: str
    kind: str
    context_window: int
    max_output_tokens: int
    dimensions: int
    limits_as: str
    reasons: bool = False
    created: int = CREATED
    owned_by: str = "system"
    efforts: tuple[str, ...] = ()
    default_effort: str = "medium"
    refuses: tuple[str, ...] = ()


def served(also: Iterable[str] = ()) -> dict[str, Model]:
    """Every model by each name it answers to: alias, snapshot, and the names in `also` for the default one.

    Facts come from spec/models.yaml.
    """
    found: dict[str, Model] = {}
    for name in SERVED:
        model = _model(name)
        found[model.id] = model
        found.setdefault(model.snapshot, replace(model, id=model.snapshot))
    for name in also:
        found.setdefault(name, replace(found[DEFAULT_MODEL], id=name, snapshot=name))
    return found


def _model(name: str) -> Model:
    facts = load_spec().catalogue("models")["models"][name]
    return Model(
        id=name,
        snapshot=facts.get("snapshot", name),
        kind=facts["kind"],
        context_window=facts.get("context_window", 0),
        max_output_tokens=facts.get("max_output_tokens", 0),
        dimensions=facts.get("dimensions", 0),
        limits_as=name,
        reasons=facts.get("reasoning", False),
        efforts=tuple(facts.get("efforts", ())),
        default_effort=facts.get("default_effort", "medium"),
        refuses=tuple(facts.get("refuses", ())),
    )


def card(model: Model) -> dict[str, Any]:
    return {"id": model.id, "object": "model", "created": model.created, "owned_by": model.owned_by}


def list_models(models: Mapping[str, Model]) -> Answer:
    return json_answer({"object": "list", "data": [card(model) for model in models.values()]})


def retrieve_model(models: Mapping[str, Model], name: str) -> Answer:
    return json_answer(card(_known(models, name)))


def delete_model(models: Mapping[str, Model], name: str) -> Answer:
    """Only fine-tuned models can be deleted; those of `models` are not."""
    _known(models, name)
    return refusal(403, f"The model `{name}` is not a fine-tuned model of yours and cannot be deleted.")


def _known(models: Mapping[str, Model], name: str) -> Model:
    if name not in models:
        raise not_found(f"The model '{name}' does not exist", "model", "model_not_found")
    return models[name]


def model_for(models: Mapping[str, Model], name: str, kind: str) -> Model:
    """The model a request names; refused when there is none, or when it does something else."""
    model = models.get(name)
    if model is None:
        raise unknown_model(name)
    if model.kind != kind:
        raise Refused(refusal(404, f"This is not a {kind} model and thus not supported here: {name}.", param="model"))
    return model
