"""Departures of moderations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import edit_error, edit_json
from wireproof.standin.wire import Answer, Ask, Serve, json_answer

PLACE = "/v1/moderations"

Edit = Callable[[dict[str, Any]], Any]


def _edited(ask: Ask, serve: Serve, edit: Edit) -> Answer:
    answer = serve(ask)
    return edit_json(answer, edit) if ask.path == PLACE else answer


def _each(ask: Ask, serve: Serve, edit: Edit) -> Answer:
    """`edit` on each result."""
    return _edited(ask, serve, lambda body: body | {"results": [edit(one) or one for one in body["results"]]})


@fault("moderations.result-bare", breaks="moderations.schema")
def result_bare(ask: Ask, serve: Serve) -> Answer:
    """The result by itself, without a list around it."""
    return _edited(ask, serve, lambda body: body | {"results": body["results"][0]})


@fault("moderations.first-only", breaks="moderations.results")
def first_only(ask: Ask, serve: Serve) -> Answer:
    """A result for the first text alone."""
    return _edited(ask, serve, lambda body: body | {"results": body["results"][:1]})


@fault("moderations.results-reversed", breaks="moderations.order")
def results_reversed(ask: Ask, serve: Serve) -> Answer:
    """The results from the last text to the first."""
    return _edited(ask, serve, lambda body: body["results"].reverse())


@fault("moderations.model-path", breaks="moderations.model")
def model_path(ask: Ask, serve: Serve) -> Answer:
    """`model` is a file on the server."""
    return _edited(ask, serve, lambda body: body | {"model": "/models/guard.gguf"})


@fault("moderations.id-same", breaks="moderations.id")
def id_same(ask: Ask, serve: Serve) -> Answer:
    """Every answer has the same id."""
    return _edited(ask, serve, lambda body: body | {"id": "modr-1"})


@fault("moderations.categories-int", breaks="moderations.categories")
def categories_int(ask: Ask, serve: Serve) -> Answer:
    """Categories are 0 and 1."""
    return _each(
        ask, serve, lambda one: one | {"categories": {name: int(value) for name, value in one["categories"].items()}}
    )


@fault("moderations.category-missing", breaks="moderations.categories", also=("moderations.*",))
def category_missing(ask: Ask, serve: Serve) -> Answer:
    """No word of `violence/graphic` in any part of a verdict."""

    def edit(one: dict[str, Any]) -> None:
        for name in ("categories", "category_scores", "category_applied_input_types"):
            del one[name]["violence/graphic"]

    return _each(ask, serve, edit)


@fault("moderations.later-missing", breaks="moderations.later-categories")
def later_missing(ask: Ask, serve: Serve) -> Answer:
    """The categories of the older models alone."""

    def edit(one: dict[str, Any]) -> None:
        for name in ("categories", "category_scores", "category_applied_input_types"):
            one[name] = {key: value for key, value in one[name].items() if not key.startswith("illicit")}

    return _each(ask, serve, edit)


@fault("moderations.scores-missing", breaks="moderations.scores", also=("moderations.later-categories",))
def scores_missing(ask: Ask, serve: Serve) -> Answer:
    """No `category_scores`."""
    return _each(ask, serve, lambda one: one.pop("category_scores") and None)


@fault("moderations.scores-percent", breaks="moderations.scores", also=("moderations.high-scores",))
def scores_percent(ask: Ask, serve: Serve) -> Answer:
    """Scores from 0 to 100."""

    def edit(one: dict[str, Any]) -> None:
        one["category_scores"] = {name: value * 100 for name, value in one["category_scores"].items()}

    return _each(ask, serve, edit)


@fault("moderations.flagged-missing", breaks="moderations.flagged")
def flagged_missing(ask: Ask, serve: Serve) -> Answer:
    """No `flagged`."""
    return _each(ask, serve, lambda one: {name: value for name, value in one.items() if name != "flagged"})


@fault("moderations.flagged-inverted", breaks="moderations.flagged")
def flagged_inverted(ask: Ask, serve: Serve) -> Answer:
    """`flagged` is true of what is harmless."""
    return _each(ask, serve, lambda one: one | {"flagged": not one["flagged"]})


@fault("moderations.never-flags", breaks="moderations.high-scores")
def never_flags(ask: Ask, serve: Serve) -> Answer:
    """Nothing is flagged, however high its scores are."""
    return _each(
        ask, serve, lambda one: one | {"flagged": False, "categories": dict.fromkeys(one["categories"], False)}
    )


@fault("moderations.applied-missing", breaks="moderations.applied")
def applied_missing(ask: Ask, serve: Serve) -> Answer:
    """No `category_applied_input_types`."""
    return _each(ask, serve, lambda one: one.pop("category_applied_input_types") and None)


@fault("moderations.applied-to-all", breaks="moderations.applied-inputs")
def applied_to_all(ask: Ask, serve: Serve) -> Answer:
    """Every category was judged by pictures too, even where none was sent."""
    return _each(
        ask,
        serve,
        lambda one: one | {"category_applied_input_types": {name: ["text", "image"] for name in one["categories"]}},
    )


@fault("moderations.empty-served", breaks="moderations.refuses")
def empty_served(ask: Ask, serve: Serve) -> Answer:
    """No input has no result, and status 200."""
    answer = serve(ask)
    if ask.path != PLACE or ask.asked.get("input") != []:
        return answer
    body = {"id": f"modr-{len(answer.body)}", "model": "omni-moderation-latest", "results": []}
    return replace(answer, status=200, body=json_answer(body).body)


@fault("moderations.param-null", breaks="moderations.param")
def param_null(ask: Ask, serve: Serve) -> Answer:
    """A refusal does not say which field is wrong."""

    def edit(body: dict[str, Any]) -> None:
        body["error"]["param"] = None

    return edit_error(serve(ask), edit) if ask.path == PLACE else serve(ask)


@fault("moderations.results-none", breaks="moderations.results")
def results_none(ask: Ask, serve: Serve) -> Answer:
    """An empty list of results, whatever was asked."""
    return _edited(ask, serve, lambda body: body | {"results": []})


@fault("moderations.id-empty", breaks="moderations.id")
def id_empty(ask: Ask, serve: Serve) -> Answer:
    """An `id` of no characters."""
    return _edited(ask, serve, lambda body: body | {"id": ""})


@fault("moderations.scores-lost", breaks="moderations.high-scores", also=("moderations.same-verdict",))
def scores_lost(ask: Ask, serve: Serve) -> Answer:
    """Every score is 0, flagged or not."""
    return _each(ask, serve, lambda one: one | {"category_scores": dict.fromkeys(one["category_scores"], 0.0)})


@fault("moderations.picture-dropped", breaks="moderations.applied")
def picture_dropped(ask: Ask, serve: Serve) -> Answer:
    """Of a text and a picture the text alone is judged."""
    given = ask.asked.get("input")
    if ask.path != PLACE or not isinstance(given, list) or not any(isinstance(one, dict) for one in given):
        return serve(ask)
    return serve(ask.changed(input=[one for one in given if one["type"] == "text"]))


@fault("moderations.batch-unjudged", breaks="moderations.same-verdict")
def batch_unjudged(ask: Ask, serve: Serve) -> Answer:
    """In a batch nothing is ever flagged."""

    def innocent(one: dict[str, Any]) -> dict[str, Any]:
        nothing = {"categories": False, "category_scores": 0.001}
        return one | {"flagged": False} | {part: dict.fromkeys(one[part], value) for part, value in nothing.items()}

    given = ask.asked.get("input")
    is_batch = isinstance(given, list) and all(isinstance(one, str) for one in given)
    return _each(ask, serve, innocent) if is_batch else serve(ask)


@fault("moderations.kinds-doubled", breaks="moderations.applied-inputs")
def kinds_doubled(ask: Ask, serve: Serve) -> Answer:
    """A category was judged by text, and by text."""

    def edit(one: dict[str, Any]) -> dict[str, Any]:
        applied = one["category_applied_input_types"]
        return one | {"category_applied_input_types": {name: kinds * 2 for name, kinds in applied.items()}}

    return _each(ask, serve, edit)
