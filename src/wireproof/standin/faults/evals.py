"""Departures of evals: what is lost of one, changes without effect, deletions that do not delete."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import edit_json
from wireproof.standin.wire import Answer, Ask, Serve

EVALS = "/v1/evals"

Edit = Callable[[dict[str, Any]], Any]


def _is_one(ask: Ask, *methods: str) -> bool:
    return ask.method in methods and re.fullmatch(f"{EVALS}/[^/]+", ask.path) is not None


def _is_made(ask: Ask) -> bool:
    return ask.method == "POST" and ask.path == EVALS


def _eval(ask: Ask, serve: Serve, edit: Edit) -> Answer:
    """`edit` on every eval, made, read, changed or listed."""

    def every(body: dict[str, Any]) -> None:
        for row in body.get("data", [body]):
            edit(row)

    answer = serve(ask)
    is_meant = ask.path == EVALS or _is_one(ask, "GET", "POST")
    return _edit_any(answer, every) if is_meant else answer


def _edit_any(answer: Answer, edit: Edit) -> Answer:
    """As `edit_json`, also for what is answered 201."""
    return (
        replace(edit_json(replace(answer, status=200), edit), status=answer.status) if answer.status < 300 else answer
    )


@fault("evals.object-list", breaks="evals.schema")
def an_eval_is_a_list(ask: Ask, serve: Serve) -> Answer:
    """An eval has `object: "evals"`."""
    return _eval(ask, serve, lambda row: row.update(object="evals"))


@fault("evals.name-lost", breaks="evals.echo", also=("evals.update",))
def the_name_is_lost(ask: Ask, serve: Serve) -> Answer:
    """Every eval is an unnamed one."""
    return _eval(ask, serve, lambda row: row.update(name="Unnamed eval"))


@fault("evals.metadata-lost", breaks="evals.echo", also=("evals.update",))
def labels_are_lost(ask: Ask, serve: Serve) -> Answer:
    """`metadata` is always empty."""
    return _eval(ask, serve, lambda row: row.update(metadata={}))


@fault("evals.labels-untold", breaks="evals.echo")
def labels_are_untold(ask: Ask, serve: Serve) -> Answer:
    """`metadata` is empty in the answer that makes an eval, and kept all the same."""
    answer = serve(ask)
    return _edit_any(answer, lambda row: row.update(metadata={})) if _is_made(ask) else answer


@fault("evals.criteria-empty", breaks="evals.criteria")
def criteria_are_lost(ask: Ask, serve: Serve) -> Answer:
    """`testing_criteria` is an empty list."""
    return _eval(ask, serve, lambda row: row.update(testing_criteria=[]))


@fault("evals.shape-lost", breaks="evals.item-schema")
def the_shape_is_lost(ask: Ask, serve: Serve) -> Answer:
    """The schema that an eval tells is that of any object."""
    return _eval(ask, serve, lambda row: row["data_source_config"].update(schema={"type": "object"}))


@fault("evals.deletion-of-another-kind", breaks="evals.delete")
def a_deletion_is_an_eval(ask: Ask, serve: Serve) -> Answer:
    """A deletion has the `object` of an eval."""
    answer = serve(ask)
    return edit_json(answer, lambda body: body | {"object": "eval"}) if _is_one(ask, "DELETE") else answer


@fault("evals.templates-filled", breaks="evals.criteria")
def templates_are_filled(ask: Ask, serve: Serve) -> Answer:
    """The templates of a criterion are filled with nothing when it is kept."""
    return _eval(ask, serve, lambda row: [one.update(reference="") for one in row["testing_criteria"]] and None)


@fault("evals.created-ms", breaks="evals.created")
def created_in_milliseconds(ask: Ask, serve: Serve) -> Answer:
    """`created_at` is in milliseconds."""
    return _eval(ask, serve, lambda row: row.update(created_at=row["created_at"] * 1000))


@fault("evals.update-ignored", breaks="evals.update")
def changes_have_no_effect(ask: Ask, serve: Serve) -> Answer:
    """A change is answered with the eval as it was."""
    return serve(replace(ask, method="GET", body=b"") if _is_one(ask, "POST") else ask)


@fault("evals.update-replaces", breaks="evals.get", also=("evals.list",))
def changes_replace_everything(ask: Ask, serve: Serve) -> Answer:
    """An eval that is read has no criteria any more once it was changed."""
    answer = serve(ask)
    return edit_json(answer, lambda row: row | {"testing_criteria": []}) if _is_one(ask, "GET") else answer


@fault("evals.unlisted", breaks="evals.list")
def evals_are_not_listed(ask: Ask, serve: Serve) -> Answer:
    """The list of evals is empty."""
    answer = serve(ask)
    if ask.method != "GET" or ask.path != EVALS:
        return answer
    return edit_json(answer, lambda body: body | {"data": [], "first_id": None, "last_id": None, "has_more": False})


@fault("evals.criteria-optional", breaks="evals.incomplete")
def criteria_are_optional(ask: Ask, serve: Serve) -> Answer:
    """An eval without criteria is taken."""
    if not _is_made(ask) or "testing_criteria" in ask.asked:
        return serve(ask)
    return serve(ask.changed(testing_criteria=[]))


@fault("evals.deletion-other", breaks="evals.delete")
def another_is_deleted(ask: Ask, serve: Serve) -> Answer:
    """A deletion names the eval under `id`."""
    answer = serve(ask)
    if not _is_one(ask, "DELETE"):
        return answer
    return edit_json(answer, lambda body: {"object": "eval.deleted", "deleted": True, "id": body["eval_id"]})


@fault("evals.undead", breaks="evals.gone")
def deletions_do_not_delete(ask: Ask, serve: Serve) -> Answer:
    """A deletion says yes and keeps the eval."""
    if not _is_one(ask, "DELETE"):
        return serve(ask)
    kept = serve(replace(ask, method="GET"))
    return edit_json(kept, lambda row: {"eval_id": row["id"], "object": "eval.deleted", "deleted": True})


@fault("evals.listed-bare", breaks="evals.list")
def listed_evals_are_bare(ask: Ask, serve: Serve) -> Answer:
    """In the list, evals have no criteria."""
    answer = serve(ask)
    is_list = ask.method == "GET" and ask.path == EVALS
    return edit_json(answer, lambda body: [row.update(testing_criteria=[]) for row in body["data"]] and None) if (
        is_list) else answer  # fmt: skip


@fault("evals.changed-anew", breaks="evals.get")
def a_change_makes_anew(ask: Ask, serve: Serve) -> Answer:
    """A changed eval was created when it was changed, says the answer."""
    answer = serve(ask)
    return (
        edit_json(answer, lambda row: row | {"created_at": row["created_at"] + 9}) if _is_one(ask, "POST") else answer
    )
