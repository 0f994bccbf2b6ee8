"""Departures of the items of a realtime conversation."""

from __future__ import annotations

from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit_talk import Event
from wireproof.standin.faults.realtime import named, on, realtime, unheard
from wireproof.standin.wire import Answer, Ask, Serve

ITEM = "conversation.item."
PLACED = (f"{ITEM}added", f"{ITEM}done")


@fault("realtime.item-unanswered", breaks="realtime.items.answered")
def item_unanswered(ask: Ask, serve: Serve) -> Answer:
    """What is asked of an item that there is not is passed over in silence."""
    return unheard(ask, serve, named("wp_gone", "wp_twice"))


@fault("realtime.item-undone", breaks="realtime.items.done")
def item_undone(ask: Ask, serve: Serve) -> Answer:
    """A message of the user is added and never done."""
    return realtime(ask, serve, on(f"{ITEM}done", edit=lambda e: [] if e["item"].get("role") != "assistant" else None))


@fault("realtime.item-renamed", breaks="realtime.items.created")
def item_renamed(ask: Ask, serve: Serve) -> Answer:
    """The id that a client gives to an item is passed over for another."""

    def told(event: Event) -> None:
        if event["item"]["id"].startswith("wp_"):
            event["item"]["id"] = f"item_{event['item']['id'][3:]}"

    return realtime(ask, serve, on(*PLACED, edit=told))


@fault("realtime.item-emptied", breaks="realtime.items.created")
def item_emptied(ask: Ask, serve: Serve) -> Answer:
    """A new item is told without its words."""

    def told(event: Event) -> None:
        if event["item"]["id"].startswith("wp_"):
            event["item"]["content"] = []

    return realtime(ask, serve, on(f"{ITEM}added", edit=told))


@fault("realtime.item-nameless", breaks="realtime.items.named")
def item_nameless(ask: Ask, serve: Serve) -> Answer:
    """An item that was made without an id has none."""

    def told(event: Event) -> None:
        is_written = [part.get("text") for part in event["item"].get("content", ())] == ["My fish has no name."]
        if is_written:
            event["item"]["id"] = ""

    return realtime(ask, serve, on(*PLACED, edit=told))


@fault("realtime.item-last", breaks="realtime.items.order")
def item_last(ask: Ask, serve: Serve) -> Answer:
    """Every item is put at the end, wherever it was to be put."""

    def heard(said: Any) -> Event | None:
        is_meant = isinstance(said, dict) and said.get("previous_item_id") in ("root", "wp_item_one")
        return {key: value for key, value in said.items() if key != "previous_item_id"} if is_meant else None

    return realtime(ask, serve, heard=heard)


@fault("realtime.item-order-untold", breaks="realtime.items.order")
def item_order_untold(ask: Ask, serve: Serve) -> Answer:
    """No item is told to stand after another."""
    return realtime(ask, serve, on(*PLACED, edit=lambda event: event.update(previous_item_id=None)))


@fault("realtime.item-twice", breaks="realtime.items.once")
def item_twice(ask: Ask, serve: Serve) -> Answer:
    """An item is added twice."""
    return realtime(ask, serve, on(f"{ITEM}added", edit=lambda e: [e, {**e, "event_id": f"{e['event_id']}b"}]))


@fault("realtime.item-done-first", breaks="realtime.items.once")
def item_done_first(ask: Ask, serve: Serve) -> Answer:
    """A message of the user is done before it is added."""
    held: list[Event] = []

    def told(event: Event) -> list[Event] | None:
        if event["item"].get("role") == "assistant":
            return None
        if event["type"] == f"{ITEM}added":
            held.append(event)
            return []
        return [event, *[held.pop() for _ in held[:]]]

    return realtime(ask, serve, on(*PLACED, edit=told))


@fault("realtime.item-moves", breaks="realtime.items.alike")
def item_moves(ask: Ask, serve: Serve) -> Answer:
    """An item is done in another place than it was added at."""
    return realtime(ask, serve, on(f"{ITEM}done", edit=lambda event: event.update(previous_item_id="item_0")))


@fault("realtime.item-done-otherwise", breaks="realtime.items.alike")
def item_done_otherwise(ask: Ask, serve: Serve) -> Answer:
    """An item of the answer has other words where it is done in the conversation."""

    def told(event: Event) -> None:
        for part in event["item"].get("content", ()):
            if part["type"] == "output_text":
                part["text"] = part["text"].strip() + " So."

    return realtime(ask, serve, on(f"{ITEM}done", edit=told))


@fault("realtime.call-renamed", breaks="realtime.items.alike")
def call_renamed(ask: Ask, serve: Serve) -> Answer:
    """A call has another id where it is added to the conversation."""
    edit = on(
        *PLACED, edit=lambda e: e["item"].update(call_id="call_0") if e["item"]["type"] == "function_call" else None
    )
    return realtime(ask, serve, edit)


@fault("realtime.item-unfinished", breaks="realtime.items.finished")
def item_unfinished(ask: Ask, serve: Serve) -> Answer:
    """An item of the answer is still in progress when it is done."""
    return realtime(ask, serve, on("response.output_item.done", edit=lambda e: e["item"].update(status="in_progress")))


@fault("realtime.item-other", breaks="realtime.items.retrieved")
def item_other(ask: Ask, serve: Serve) -> Answer:
    """Whichever item is read, it is the second one."""
    return realtime(
        ask, serve, heard=lambda said: {**said, "item_id": "wp_item_two"} if named("wp_read")(said) else None
    )


@fault("realtime.item-wordless", breaks="realtime.items.retrieved")
def item_wordless(ask: Ask, serve: Serve) -> Answer:
    """An item that is read has lost its words."""

    def told(event: Event) -> None:
        event["item"]["content"] = [{"type": part["type"]} for part in event["item"]["content"]]

    return realtime(ask, serve, on(f"{ITEM}retrieved", edit=told))


@fault("realtime.item-stays", breaks="realtime.items.deleted")
def item_stays(ask: Ask, serve: Serve) -> Answer:
    """An item that is said to be deleted is still there."""

    def heard(said: Any) -> list[Event] | None:
        if not named("wp_delete")(said):
            return None
        return [{"type": f"{ITEM}deleted", "event_id": "event_deleted", "item_id": said["item_id"]}]

    return realtime(ask, serve, heard=heard)


@fault("realtime.item-deleted-other", breaks="realtime.items.deleted")
def item_deleted_other(ask: Ask, serve: Serve) -> Answer:
    """`conversation.item.deleted` names the conversation, not the item."""
    return realtime(ask, serve, on(f"{ITEM}deleted", edit=lambda event: event.update(item_id="conv_1")))


@fault("realtime.item-replaced", breaks="realtime.items.duplicate")
def item_replaced(ask: Ask, serve: Serve) -> Answer:
    """An item with the id of another takes its place, and is told by the name of the beta."""

    def heard(said: Any) -> list[Event] | None:
        if not named("wp_again")(said):
            return None
        item = {"object": "realtime.item", "status": "completed", **said["item"]}
        return [{"type": f"{ITEM}created", "event_id": "event_again", "previous_item_id": None, "item": item}]

    return realtime(ask, serve, heard=heard)


@fault("realtime.item-anywhere", breaks="realtime.items.nowhere")
def item_anywhere(ask: Ask, serve: Serve) -> Answer:
    """An item that is to stand after one that there is not stands at the end."""

    def heard(said: Any) -> Event | None:
        is_meant = named("wp_nowhere")(said)
        return {key: value for key, value in said.items() if key != "previous_item_id"} if is_meant else None

    return realtime(ask, serve, heard=heard)


@fault("realtime.words-cut", breaks="realtime.items.truncate")
def words_cut(ask: Ask, serve: Serve) -> Answer:
    """A written message of the user is said to be truncated."""

    def heard(said: Any) -> list[Event] | None:
        if not named("wp_truncate")(said):
            return None
        told = {key: said[key] for key in ("item_id", "content_index", "audio_end_ms")}
        return [{"type": f"{ITEM}truncated", "event_id": "event_cut", **told}]

    return realtime(ask, serve, heard=heard)
