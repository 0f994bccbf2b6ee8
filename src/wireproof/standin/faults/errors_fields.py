"""Departures of the refusals of a broken field, on operations other than chat."""

from __future__ import annotations

from dataclasses import replace

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import edit_error
from wireproof.standin.wire import Answer, Ask, Serve


def _is_vectors(ask: Ask, answer: Answer) -> bool:
    return ask.path.endswith("/embeddings") and answer.status == 400


@fault("errors.field-404", breaks="errors.field-status")
def wrong_vectors_are_not_found(ask: Ask, serve: Serve) -> Answer:
    """What is wrong with a request for vectors is answered 404."""
    answer = serve(ask)
    return replace(answer, status=404) if _is_vectors(ask, answer) else answer


@fault("errors.field-409", breaks="errors.field-status")
def wrong_vectors_are_a_conflict(ask: Ask, serve: Serve) -> Answer:
    """What is wrong with a request for vectors is answered 409."""
    answer = serve(ask)
    return replace(answer, status=409) if _is_vectors(ask, answer) else answer


@fault("errors.field-unnamed", breaks="errors.field-param")
def no_field_of_vectors_is_named(ask: Ask, serve: Serve) -> Answer:
    """The `param` of refused requests for vectors is null."""
    answer = serve(ask)
    if not _is_vectors(ask, answer):
        return answer
    return edit_error(answer, lambda body: body["error"].update(param=None))


@fault("errors.field-model", breaks="errors.field-param")
def the_model_is_always_blamed(ask: Ask, serve: Serve) -> Answer:
    """The `param` of refused requests for vectors is `model`, whatever is wrong."""
    answer = serve(ask)
    if not _is_vectors(ask, answer):
        return answer
    return edit_error(answer, lambda body: body["error"].update(param="model"))
