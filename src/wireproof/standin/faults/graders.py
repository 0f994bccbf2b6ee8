"""Departures of graders: scores on another scale, checks that are too strict or not strict enough."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import edit_json
from wireproof.standin.wire import Answer, Ask, Serve

ROOT = "/v1/fine_tuning/alpha/graders"

Edit = Callable[[dict[str, Any]], Any]


def _grader(ask: Ask) -> dict[str, Any]:
    told = ask.asked.get("grader")
    return told if isinstance(told, dict) else {}


def _with_grader(ask: Ask, **changed: str) -> Ask:
    return ask.changed(grader={**_grader(ask), **changed})


def _runs(ask: Ask, **like: str) -> bool:
    return ask.path == f"{ROOT}/run" and all(_grader(ask).get(name) == value for name, value in like.items())


def _edited(ask: Ask, serve: Serve, edit: Edit, **like: str) -> Answer:
    answer = serve(ask)
    return edit_json(answer, edit) if _runs(ask, **like) else answer


@fault("fine-tuning.graders.reward-text", breaks="fine-tuning.graders.schema", also=("fine-tuning.graders.*",))
def rewards_are_text(ask: Ask, serve: Serve) -> Answer:
    """`reward` is a string."""
    return _edited(ask, serve, lambda body: body | {"reward": str(body["reward"])})


@fault("fine-tuning.graders.metadata-missing", breaks="fine-tuning.graders.schema")
def runs_have_no_metadata(ask: Ask, serve: Serve) -> Answer:
    """A run of a grader has no `metadata`."""
    return _edited(ask, serve, lambda body: {name: value for name, value in body.items() if name != "metadata"})


@fault("fine-tuning.graders.changed", breaks="fine-tuning.graders.validate")
def graders_are_changed(ask: Ask, serve: Serve) -> Answer:
    """A validated grader comes back with the operation eq."""
    is_meant = ask.path == f"{ROOT}/validate" and _grader(ask).get("operation") == "ilike"
    return serve(_with_grader(ask, operation="eq") if is_meant else ask)


@fault(
    "fine-tuning.graders.anything",
    breaks="fine-tuning.graders.refused",
    also=("fine-tuning.graders.schema", "fine-tuning.graders.validate"),
)
def any_operation_is_taken(ask: Ask, serve: Serve) -> Answer:
    """A grader with an operation that there is not is valid."""
    is_meant = ask.path == f"{ROOT}/validate" and _grader(ask).get("operation") == "wireproof"
    return serve(_with_grader(ask, operation="eq") if is_meant else ask)


@fault("fine-tuning.graders.case-ignored", breaks="fine-tuning.graders.string-check")
def eq_ignores_case(ask: Ask, serve: Serve) -> Answer:
    """`eq` takes letters in another case for the same."""
    return serve(_with_grader(ask, operation="ilike") if _runs(ask, operation="eq") else ask)


@fault("fine-tuning.graders.case-minded", breaks="fine-tuning.graders.string-check")
def ilike_minds_case(ask: Ask, serve: Serve) -> Answer:
    """`ilike` takes letters in another case for others."""
    return serve(_with_grader(ask, operation="like") if _runs(ask, operation="ilike") else ask)


@fault("fine-tuning.graders.percent", breaks="fine-tuning.graders.similarity")
def similarity_is_a_percentage(ask: Ask, serve: Serve) -> Answer:
    """Similarity runs from 0 to 100."""
    return _edited(ask, serve, lambda body: body | {"reward": body["reward"] * 100}, type="text_similarity")


@fault("fine-tuning.graders.always-alike", breaks="fine-tuning.graders.similarity")
def everything_is_alike(ask: Ask, serve: Serve) -> Answer:
    """Similarity is always 1."""
    return _edited(ask, serve, lambda body: body | {"reward": 1.0}, type="text_similarity")


@fault("fine-tuning.graders.nameless", breaks="fine-tuning.graders.told")
def runs_name_another(ask: Ask, serve: Serve) -> Answer:
    """A run names its grader `grader`."""
    return _edited(ask, serve, lambda body: body["metadata"].update(name="grader"))


@fault("fine-tuning.graders.itemless", breaks="fine-tuning.graders.errors")
def items_are_lost(ask: Ask, serve: Serve) -> Answer:
    """The item of a run does not reach the templates of its grader."""
    return serve(ask.without("item") if _runs(ask) else ask)
