"""Departures of stored responses, of their streams that are told again, and of those in the background."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import edit_events, edit_frames, edit_json, refused
from wireproof.standin.faults.response_edits import PATH, each_response, is_unkept
from wireproof.standin.wire import Answer, Ask, Serve, json_answer

Body = dict[str, Any]


def _is_one(ask: Ask, method: str) -> bool:
    """Whether this method is asked of one stored response."""
    rest = ask.path.removeprefix(f"{PATH}/")
    return ask.method == method and rest != ask.path and "/" not in rest


def _is_background(body: Body) -> bool:
    return body.get("background") is True


def _read(ask: Ask, serve: Serve, edit: Callable[[Body], Any]) -> Answer:
    """What did not run in the background after `edit(response)`, when it is read."""
    answer = serve(ask)
    if not _is_one(ask, "GET"):
        return answer
    return edit_json(answer, lambda body: None if _is_background(body) else edit(body))


def _page(ask: Ask, serve: Serve, edit: Callable[[Body], Any]) -> Answer:
    answer = serve(ask)
    return edit_json(answer, edit) if ask.path.endswith("/input_items") else answer


@fault("responses.stored.made-anew", breaks="responses.stored.get", also=("responses.stored.stream",))
def made_anew(ask: Ask, serve: Serve) -> Answer:
    """A stored response says it was created later than it was."""

    def edit(body: Body) -> None:
        body["created_at"] += 60
        body["completed_at"] = body["completed_at"] and body["completed_at"] + 60

    return _read(ask, serve, edit)


@fault("responses.stored.defaults", breaks="responses.stored.settings")
def defaults(ask: Ask, serve: Serve) -> Answer:
    """A stored response says `max_output_tokens: 4096`, whatever it was made with."""
    return _read(ask, serve, lambda body: body.update(max_output_tokens=4096))


@fault("responses.stored.id-changes", breaks="responses.stored.id")
def id_changes(ask: Ask, serve: Serve) -> Answer:
    """A stored response is read under another id."""
    return _read(ask, serve, lambda body: body.update(id=f"{body['id']}x"))


@fault("responses.stored.metadata-lost", breaks="responses.stored.metadata")
def metadata_lost(ask: Ask, serve: Serve) -> Answer:
    """A stored response has empty metadata."""
    return _read(ask, serve, lambda body: body.update(metadata={}))


@fault("responses.stored.only-if-asked", breaks="responses.stored.default")
def only_if_asked(ask: Ask, serve: Serve) -> Answer:
    """A response is stored only when `store` is true."""
    is_made = ask.method == "POST" and ask.path == PATH
    return serve(ask.changed(store=False)) if is_made and "store" not in ask.asked else serve(ask)


@fault(
    "responses.stored.more-missing",
    breaks="responses.stored.input-schema",
    also=("responses.stored.input-page", "paging.*"),
)
def more_missing(ask: Ask, serve: Serve) -> Answer:
    """The list of input items has no `has_more`."""
    return _page(ask, serve, lambda page: {name: value for name, value in page.items() if name != "has_more"})


def _asks_pages(ask: Ask) -> bool:
    """Whether the input is read item by item, without a word of its order."""
    names = {name for name, _ in ask.query}
    return ask.path.endswith("/input_items") and "limit" in names and "order" not in names


@fault("responses.stored.more-always", breaks="responses.stored.input-page")
def more_always(ask: Ask, serve: Serve) -> Answer:
    """A page that could hold more input items than there are says that there are more."""
    return serve(ask) if _asks_pages(ask) else _page(ask, serve, lambda page: page.update(has_more=True))


@fault("responses.stored.input-oldest-first", breaks="responses.stored.input-pages")
def input_oldest_first(ask: Ask, serve: Serve) -> Answer:
    """Without `order` the oldest input items come first."""
    return serve(replace(ask, query=(*ask.query, ("order", "asc"))) if _asks_pages(ask) else ask)


@fault("responses.stored.input-unlimited", breaks="responses.stored.input-pages", also=("paging.*",))
def input_unlimited(ask: Ask, serve: Serve) -> Answer:
    """Input items come all on one page, whatever `limit` says."""
    kept = tuple((name, value) for name, value in ask.query if name != "limit")
    return serve(replace(ask, query=kept) if _asks_pages(ask) else ask)


@fault("responses.stored.order-ignored", breaks="responses.stored.input-items", also=("paging.order",))
def order_ignored(ask: Ask, serve: Serve) -> Answer:
    """Input items come newest first, whatever was asked."""
    return _page(
        ask,
        serve,
        lambda page: page.update(data=page["data"][::-1], first_id=page["last_id"], last_id=page["first_id"]),
    )


@fault("responses.stored.cursor-wrong", breaks="responses.stored.input-page", also=("paging.*",))
def cursor_wrong(ask: Ask, serve: Serve) -> Answer:
    """`last_id` is not the id of the last item."""
    return _page(ask, serve, lambda page: page.update(last_id="msg_none"))


@fault("responses.stored.previous-forgotten", breaks="responses.stored.previous")
def previous_forgotten(ask: Ask, serve: Serve) -> Answer:
    """`previous_response_id` is checked and repeated, and what was said before is not read."""
    answer, previous = serve(ask), ask.asked.get("previous_response_id")
    if answer.status != 200 or previous is None or ask.path != PATH:
        return answer
    return each_response(
        ask.without("previous_response_id"), serve, lambda body: body.update(previous_response_id=previous)
    )


@fault("responses.stored.cancelled-anyway", breaks="responses.stored.cancel")
def cancelled_anyway(ask: Ask, serve: Serve) -> Answer:
    """A response that is over can be cancelled."""
    answer = serve(ask)
    if ask.path.endswith("/cancel") and answer.status == 400:
        return serve(Ask("GET", ask.path.removesuffix("/cancel"), headers=ask.headers))
    return answer


@fault("responses.stored.deletion-denied", breaks="responses.stored.delete")
def deletion_denied(ask: Ask, serve: Serve) -> Answer:
    """A deletion says `deleted: false`."""
    answer = serve(ask)
    return edit_json(answer, lambda body: body.update(deleted=False)) if _is_one(ask, "DELETE") else answer


@fault("responses.stored.undead", breaks="responses.stored.gone")
def undead(ask: Ask, serve: Serve) -> Answer:
    """A deletion says yes and keeps the response."""
    if not _is_one(ask, "DELETE"):
        return serve(ask)
    answer = serve(Ask("GET", ask.path, headers=ask.headers))
    told = json_answer({"id": ask.path.rpartition("/")[2], "object": "response", "deleted": True})
    return Answer(200, answer.headers, told.body)


@fault("responses.stored.deletion-of-a-file", breaks="responses.stored.delete")
def deletion_of_a_file(ask: Ask, serve: Serve) -> Answer:
    """A response that is deleted is a `file`."""
    answer = serve(ask)
    return edit_json(answer, lambda body: body.update(object="file")) if _is_one(ask, "DELETE") else answer


@fault("responses.stored.kept-anyway", breaks="responses.stored.unstored")
def kept_anyway(ask: Ask, serve: Serve) -> Answer:
    """`store: false` is repeated, and the response is kept."""
    if not is_unkept(ask):
        return serve(ask)
    return each_response(ask.changed(store=True), serve, lambda body: body.update(store=False))


@fault("responses.stored.stream-unkept", breaks="responses.stored.stream", also=("responses.text",))
def stream_unkept(ask: Ask, serve: Serve) -> Answer:
    """Of a response that was streamed the text is not kept."""

    def edit(body: Body) -> None:
        is_streamed = any(len(part["text"]) > 100 for item in body["output"] for part in item.get("content", ()))
        if is_streamed:
            body["output"] = []

    return _read(ask, serve, edit)


@fault("responses.stored.labelled-made-anew", breaks="responses.stored.get")
def labelled_made_anew(ask: Ask, serve: Serve) -> Answer:
    """A stored response with metadata says it was created later than it was."""
    return _read(ask, serve, lambda body: body.update(created_at=body["created_at"] + 60) if body["metadata"] else None)


@fault("responses.stored.page-object", breaks="responses.stored.input-schema")
def page_object(ask: Ask, serve: Serve) -> Answer:
    """The list of input items is a `page`."""
    return _page(ask, serve, lambda page: page.update(object="page"))


@fault("responses.stored.stream-cut", breaks="responses.stored.stream")
def stream_cut(ask: Ask, serve: Serve) -> Answer:
    """Of a response that was streamed the text is kept up to its hundredth character."""

    def edit(body: Body) -> None:
        for part in (part for item in body["output"] for part in item.get("content", ())):
            part["text"] = part["text"][:100]

    return _read(ask, serve, edit)


# -------------------------------------------------------------------------------------- streams, told again


def _without_place(ask: Ask) -> Ask:
    return replace(ask, query=tuple((name, value) for name, value in ask.query if name != "starting_after"))


def _is_resumed(ask: Ask) -> bool:
    return any(name == "starting_after" for name, _ in ask.query)


@fault("responses.stored.resume-from-start", breaks="responses.stored.resume")
def resume_from_start(ask: Ask, serve: Serve) -> Answer:
    """`starting_after` is ignored: the stream is told from its beginning."""
    return serve(_without_place(ask)) if _is_resumed(ask) else serve(ask)


@fault("responses.stored.resume-skips", breaks="responses.stored.resume")
def resume_skips(ask: Ask, serve: Serve) -> Answer:
    """A stream that is taken up again lacks the first event that is due."""
    answer = serve(ask)
    return edit_frames(answer, lambda found: iter(found[1:])) if _is_resumed(ask) else answer


@fault("responses.stored.resume-counts-anew", breaks="responses.stored.resume", also=("responses.stored.resume-same",))
def resume_counts_anew(ask: Ask, serve: Serve) -> Answer:
    """The events of a stream that is taken up again are numbered from 0."""
    count: Iterator[int] = iter(range(1_000_000))
    answer = serve(ask)
    if not _is_resumed(ask):
        return answer
    return edit_events(answer, lambda event: event.update(sequence_number=next(count)))


@fault("responses.stored.resume-other-text", breaks="responses.stored.resume-same")
def resume_other_text(ask: Ask, serve: Serve) -> Answer:
    """A stream that is taken up again says its deltas in other words."""

    def edit(event: Body) -> None:
        if event["type"] == "response.output_text.delta":
            event["delta"] = event["delta"].replace(",", ";")

    answer = serve(ask)
    return edit_events(answer, edit) if _is_resumed(ask) else answer


@fault("responses.stored.resume-empty-part", breaks="responses.stored.resume-same")
def resume_empty_part(ask: Ask, serve: Serve) -> Answer:
    """In a stream that is taken up again the part that is done is empty."""

    def edit(event: Body) -> None:
        if event["type"] == "response.content_part.done":
            event["part"]["text"] = ""

    answer = serve(ask)
    return edit_events(answer, edit) if _is_resumed(ask) else answer


# ---------------------------------------------------------------------------------------- in the background


@fault("responses.stored.background-empty", breaks="responses.stored.background")
def background_empty(ask: Ask, serve: Serve) -> Answer:
    """A background response that is over is not found."""
    answer = serve(ask)
    if not _is_one(ask, "GET") or answer.status != 200 or answer.is_stream:
        return answer
    is_lost = _is_background(answer.json) and answer.json["status"] in ("completed", "incomplete")
    return serve(replace(ask, path=f"{PATH}/resp_lost")) if is_lost else answer


@fault("responses.stored.background-waits", breaks="responses.stored.background-start")
def background_waits(ask: Ask, serve: Serve) -> Answer:
    """A background response is answered when it is over."""
    if not ask.asked.get("background") or ask.path != PATH:
        return serve(ask)
    return each_response(ask.without("background"), serve, lambda body: body.update(background=True))


# ---------------------------------------------------------------------------------------------- cut short


def _is_cancellation(ask: Ask) -> bool:
    return ask.method == "POST" and ask.path.startswith(PATH) and ask.path.endswith("/cancel")


@fault("responses.stored.cancelled-object", breaks="responses.object")
def cancelled_object(ask: Ask, serve: Serve) -> Answer:
    """A cancellation is answered with a `response.cancelled`."""
    answer = serve(ask)
    return edit_json(answer, lambda body: body.update(object="response.cancelled")) if _is_cancellation(ask) else answer


@fault("responses.stored.cancelled-later", breaks="responses.stored.cancelled")
def cancelled_later(ask: Ask, serve: Serve) -> Answer:
    """The answer to a cancellation says that the response is in progress."""
    answer = serve(ask)
    return edit_json(answer, lambda body: body.update(status="in_progress")) if _is_cancellation(ask) else answer


@fault("responses.stored.cancelled-in-name", breaks="responses.stored.cancelled")
def cancelled_in_name(ask: Ask, serve: Serve) -> Answer:
    """A cancellation is answered as one, and the response goes on to its end."""
    if not _is_cancellation(ask):
        return serve(ask)
    found = serve(replace(ask, method="GET", path=ask.path.removesuffix("/cancel")))
    if found.status != 200 or found.json["status"] not in ("queued", "in_progress"):
        return serve(ask)
    return edit_json(found, lambda body: body.update(status="cancelled"))


@fault("responses.stored.cancel-refused", breaks="responses.stored.cancelled")
def cancel_refused(ask: Ask, serve: Serve) -> Answer:
    """No response can be cancelled, not even one in the background."""
    answer = serve(ask)
    return refused(answer, "Cannot cancel a synchronous response.") if _is_cancellation(ask) else answer


@fault("responses.stored.cancel-once", breaks="responses.stored.cancel-again")
def cancel_once(ask: Ask, serve: Serve) -> Answer:
    """What is cancelled already cannot be cancelled."""
    if _is_cancellation(ask):
        found = serve(replace(ask, method="GET", path=ask.path.removesuffix("/cancel")))
        if found.status == 200 and found.json.get("status") == "cancelled":
            return refused(found, "The response is cancelled already.")
    return serve(ask)
