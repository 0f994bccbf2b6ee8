"""Departures of vector stores: what is lost of a store, and stores that outlive their deletion."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import edit_json
from wireproof.standin.faults.store_edits import ONE, SEARCH, each_store, edited, is_of
from wireproof.standin.wire import Answer, Ask, Serve


@fault("vector-stores.name-lost", breaks="vector-stores.echo", also=("vector-stores.schema", "vector-stores.update"))
def the_name_is_lost(ask: Ask, serve: Serve) -> Answer:
    """The name of a store is null."""
    return each_store(ask, serve, lambda body: body | {"name": None})


@fault("vector-stores.metadata-lost", breaks="vector-stores.echo", also=("vector-stores.update",))
def metadata_is_lost(ask: Ask, serve: Serve) -> Answer:
    """The metadata of a store are empty."""
    return each_store(ask, serve, lambda body: body | {"metadata": {}})


@fault("vector-stores.policy-lost", breaks="vector-stores.echo", also=("vector-stores.update-partial",))
def the_policy_is_lost(ask: Ask, serve: Serve) -> Answer:
    """A store does not tell `expires_after`, though it goes by it."""
    return each_store(ask, serve, lambda body: body | {"expires_after": None})


@fault("vector-stores.created-ms", breaks="vector-stores.times")
def created_in_milliseconds(ask: Ask, serve: Serve) -> Answer:
    """`created_at` of a store is in milliseconds."""
    return each_store(ask, serve, lambda body: body | {"created_at": body["created_at"] * 1000})


@fault("vector-stores.never-expires", breaks="vector-stores.expiry", also=("vector-stores.update-partial",))
def stores_never_expire(ask: Ask, serve: Serve) -> Answer:
    """`expires_after` has no effect."""
    return each_store(ask, serve, lambda body: body | {"expires_at": None})


@fault("vector-stores.read-anew", breaks="vector-stores.get")
def stores_are_read_anew(ask: Ask, serve: Serve) -> Answer:
    """A store that is read was created a minute later."""
    return edited(ONE, ask, serve, lambda body: body | {"created_at": body["created_at"] + 60}, "GET")


@fault("vector-stores.update-ignored", breaks="vector-stores.update", also=("vector-stores.update-partial",))
def updates_are_ignored(ask: Ask, serve: Serve) -> Answer:
    """An update answers 200 and changes nothing."""
    return serve(replace(ask, method="GET", body=b"") if is_of(ask, ONE, "POST") else ask)


@fault("vector-stores.update-told", breaks="vector-stores.update", also=("vector-stores.update-partial",))
def updates_are_only_told(ask: Ask, serve: Serve) -> Answer:
    """An update is answered as if it were made, and is not."""
    if not is_of(ask, ONE, "POST"):
        return serve(ask)
    return edit_json(serve(replace(ask, method="GET", body=b"")), lambda body: body | ask.asked)


@fault("vector-stores.policy-unsaid", breaks="vector-stores.echo")
def the_policy_is_not_said(ask: Ask, serve: Serve) -> Answer:
    """The answer to a new store does not tell its `expires_after`; whoever reads it finds it."""
    return edited("", ask, serve, lambda body: body | {"expires_after": None}, "POST")


@fault("vector-stores.expiry-unsaid", breaks="vector-stores.expiry")
def the_expiry_is_not_said(ask: Ask, serve: Serve) -> Answer:
    """The answer to a new store does not tell its `expires_at`; whoever changes it finds it."""
    return edited("", ask, serve, lambda body: body | {"expires_at": None}, "POST")


@fault("vector-stores.name-kept", breaks="vector-stores.update")
def names_are_kept(ask: Ask, serve: Serve) -> Answer:
    """A new name of a store has no effect; everything else has."""
    return serve(ask.without("name") if is_of(ask, ONE, "POST") else ask)


@fault("vector-stores.one-cancelled", breaks="vector-stores.counts")
def one_more_is_cancelled(ask: Ask, serve: Serve) -> Answer:
    """A store counts one cancelled file that is not in its total."""

    def edit(body: dict[str, Any]) -> Any:
        counts = body["file_counts"]
        return body | {"file_counts": counts | {"cancelled": counts["cancelled"] + 1}}

    return each_store(ask, serve, edit)


@fault("vector-stores.unlisted", breaks="vector-stores.list")
def stores_are_not_listed(ask: Ask, serve: Serve) -> Answer:
    """The list of stores is empty."""
    bare: dict[str, Any] = {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}
    return edited("", ask, serve, lambda _: bare, "GET")


@fault("vector-stores.deletion-unsaid", breaks="vector-stores.delete")
def deletions_are_not_said(ask: Ask, serve: Serve) -> Answer:
    """The deletion of a store is answered without `deleted`."""
    return edited(ONE, ask, serve, lambda body: body.pop("deleted", None) and None, "DELETE")


@fault("vector-stores.undead", breaks="vector-stores.gone", also=("vector-stores.delete-twice",))
def deletions_do_not_delete(ask: Ask, serve: Serve) -> Answer:
    """A deletion says yes and keeps the store."""
    if not is_of(ask, ONE, "DELETE"):
        return serve(ask)
    kept = serve(replace(ask, method="GET"))
    return edit_json(kept, lambda body: {"id": body["id"], "object": "vector_store.deleted", "deleted": True})


@fault("vector-stores.deleted-again", breaks="vector-stores.delete-twice")
def anything_is_deleted(ask: Ask, serve: Serve) -> Answer:
    """Deleting a store that is not there succeeds."""
    answer = serve(ask)
    if not is_of(ask, ONE, "DELETE") or answer.status != 404:
        return answer
    told = {"id": ask.path.rpartition("/")[2], "object": "vector_store.deleted", "deleted": True}
    return replace(answer, status=200).with_json(told)


@fault("vector-stores.undead-when-read", breaks="vector-stores.gone")
def deleted_stores_are_read(ask: Ask, serve: Serve) -> Answer:
    """A deleted store is still read, from a copy of it; deleting it again finds nothing."""
    answer = serve(ask)
    if not is_of(ask, ONE, "GET") or answer.status != 404:
        return answer
    bare = serve(Ask("POST", "/v1/vector_stores", headers=ask.headers, body=b"{}"))
    return edit_json(bare, lambda body: body | {"id": ask.path.rpartition("/")[2]})


@fault("vector-stores.update-wipes", breaks="vector-stores.update-partial", also=("vector-stores.update",))
def updates_wipe_the_rest(ask: Ask, serve: Serve) -> Answer:
    """An update without `metadata` empties them."""
    is_meant = is_of(ask, ONE, "POST") and "metadata" not in ask.asked
    return serve(ask.changed(metadata={}) if is_meant else ask)


@fault("vector-stores.policy-kept", breaks="vector-stores.update-partial")
def policies_are_kept(ask: Ask, serve: Serve) -> Answer:
    """A new `expires_after` has no effect."""
    return serve(ask.without("expires_after") if is_of(ask, ONE, "POST") else ask)


@fault("vector-stores.takes-files-along", breaks="vector-stores.files-outlive")
def files_go_with_their_store(ask: Ask, serve: Serve) -> Answer:
    """Whoever deletes a store deletes the Files that it had taken in."""
    files = serve(replace(ask, method="GET", path=f"{ask.path}/files")) if is_of(ask, ONE, "DELETE") else None
    answer = serve(ask)
    if files is not None and files.status == 200:
        for row in files.json["data"]:
            if row["status"] == "completed":
                serve(replace(ask, path=f"/v1/files/{row['id']}"))
    return answer


@fault("vector-stores.list-of-old", breaks="vector-stores.list")
def lists_are_of_old(ask: Ask, serve: Serve) -> Answer:
    """Stores are listed by the names they were made with."""
    return edited("", ask, serve, lambda body: body | {"data": [row | {"name": "old"} for row in body["data"]]}, "GET")


@fault("vector-stores.searched-when-gone", breaks="vector-stores.gone")
def deleted_stores_are_searched(ask: Ask, serve: Serve) -> Answer:
    """A search in a deleted store finds nothing, and says it went well."""
    answer = serve(ask)
    if not is_of(ask, SEARCH) or answer.status != 404:
        return answer
    page = {"object": "vector_store.search_results.page", "search_query": [ask.asked.get("query")], "data": []}
    return replace(answer, status=200).with_json(page | {"has_more": False, "next_page": None})
