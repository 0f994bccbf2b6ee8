"""Departures of responses on a realtime socket: their order, their sums, what they say of themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit_talk import Event
from wireproof.standin.faults.realtime import named, on, realtime
from wireproof.standin.wire import Answer, Ask, Serve

CREATED, DONE = "response.created", "response.done"
DELTA, TEXT = "response.output_text.delta", "response.output_text.done"
ADDED, ITEM = "response.output_item.added", "response.output_item.done"
OPENED, PART = "response.content_part.added", "response.content_part.done"


def dropped(ask: Ask, serve: Serve, *types: str) -> Answer:
    return realtime(ask, serve, on(*types, edit=lambda event: []))


def again(event: Event) -> list[Event]:
    return [event, {**event, "event_id": f"{event['event_id']}b"}]


def ends(ask: Ask, serve: Serve, edit: Callable[[Event], Any], *types: str) -> Answer:
    """`edit` on the response that `response.done` tells, or these events."""

    def told(event: Event) -> None:
        edit(event["response"])

    return realtime(ask, serve, on(*(types or (DONE,)), edit=told))


# ---- order


@fault("realtime.response-endless", breaks="realtime.responses.answered")
def response_endless(ask: Ask, serve: Serve) -> Answer:
    """The `response.done` of a response with metadata never comes."""
    return realtime(ask, serve, on(DONE, edit=lambda event: [] if event["response"]["metadata"] else None))


@fault("realtime.response-unbegun", breaks="realtime.responses.life")
def response_unbegun(ask: Ask, serve: Serve) -> Answer:
    """A spoken response comes without `response.created`."""

    def told(event: Event) -> list[Event] | None:
        return [] if event["response"]["output_modalities"] == ["audio"] else None

    return realtime(ask, serve, on(CREATED, edit=told))


@fault("realtime.response-done-twice", breaks="realtime.responses.life")
def response_done_twice(ask: Ask, serve: Serve) -> Answer:
    """`response.done` comes twice."""
    return realtime(ask, serve, on(DONE, edit=again))


@fault(
    "realtime.response-afterwards",
    breaks="realtime.responses.life",
    also=("realtime.responses.closed", "realtime.responses.output"),
)
def response_afterwards(ask: Ask, serve: Serve) -> Answer:
    """The item of a response is done after the response is."""
    held: list[Event] = []

    def told(event: Event) -> list[Event]:
        if event["type"] == ITEM:
            held.append(event)
            return []
        return [event, *[held.pop() for _ in held[:]]]

    return realtime(ask, serve, on(ITEM, DONE, edit=told))


@fault("realtime.item-unopened", breaks="realtime.responses.items")
def item_unopened(ask: Ask, serve: Serve) -> Answer:
    """Items of a response come without `output_item.added`."""
    return dropped(ask, serve, ADDED)


@fault("realtime.item-closed-twice", breaks="realtime.responses.items", also=("realtime.responses.output",))
def item_closed_twice(ask: Ask, serve: Serve) -> Answer:
    """`output_item.done` comes twice."""
    return realtime(ask, serve, on(ITEM, edit=again))


@fault("realtime.part-unopened", breaks="realtime.responses.parts")
def part_unopened(ask: Ask, serve: Serve) -> Answer:
    """Parts come without `content_part.added`."""
    return dropped(ask, serve, OPENED)


@fault("realtime.text-after-done", breaks="realtime.responses.pieces")
def text_after_done(ask: Ask, serve: Serve) -> Answer:
    """The text of an answer is done before its last piece comes."""

    def told(event: Event) -> list[Event]:
        piece = {key: value for key, value in event.items() if key != "text"}
        return [event, {**piece, "type": DELTA, "delta": "", "event_id": f"{event['event_id']}b"}]

    return realtime(ask, serve, on(TEXT, edit=told))


@fault("realtime.part-unclosed", breaks="realtime.responses.closed")
def part_unclosed(ask: Ask, serve: Serve) -> Answer:
    """Parts are opened and never done."""
    return dropped(ask, serve, PART)


@fault("realtime.item-unclosed", breaks="realtime.responses.closed", also=("realtime.responses.output",))
def item_unclosed(ask: Ask, serve: Serve) -> Answer:
    """Items of a response are opened and never done."""
    return dropped(ask, serve, ITEM)


@fault("realtime.index-from-one", breaks="realtime.responses.indices")
def index_from_one(ask: Ask, serve: Serve) -> Answer:
    """Output items are counted from 1."""

    def told(event: Event) -> None:
        if "output_index" in event:
            event["output_index"] += 1

    return realtime(ask, serve, told)


@fault("realtime.item-id-wanders", breaks="realtime.responses.names")
def item_id_wanders(ask: Ask, serve: Serve) -> Answer:
    """Pieces of text name another item than the one that was added."""
    return realtime(ask, serve, on(DELTA, edit=lambda event: event.update(item_id=f"msg_{event['item_id'][5:]}")))


@fault("realtime.response-id-wanders", breaks="realtime.responses.names", also=("realtime.responses.*",))
def response_id_wanders(ask: Ask, serve: Serve) -> Answer:
    """Pieces of text name the response by an id of the engine's own."""
    return realtime(ask, serve, on(DELTA, TEXT, edit=lambda event: event.update(response_id="gen_1")))


@fault("realtime.response-id-again", breaks="realtime.responses.life", also=("realtime.responses.*",))
def response_id_again(ask: Ask, serve: Serve) -> Answer:
    """All responses of a session have the same id."""

    def told(event: Event) -> None:
        if "response_id" in event:
            event["response_id"] = "resp_1"
        if "response" in event:
            event["response"]["id"] = "resp_1"

    return realtime(ask, serve, told)


# ---- sums


@fault("realtime.piece-lost", breaks="realtime.responses.fold")
def piece_lost(ask: Ask, serve: Serve) -> Answer:
    """The first piece of every text is lost."""
    seen: set[str] = set()

    def told(event: Event) -> list[Event] | None:
        is_first = event["item_id"] not in seen
        seen.add(event["item_id"])
        return [] if is_first else None

    return realtime(ask, serve, on(DELTA, edit=told))


@fault("realtime.arguments-doubled", breaks="realtime.responses.fold")
def arguments_doubled(ask: Ask, serve: Serve) -> Answer:
    """Each piece of arguments holds all that came before it."""
    joined: dict[str, str] = {}

    def told(event: Event) -> None:
        joined[event["item_id"]] = event["delta"] = joined.get(event["item_id"], "") + event["delta"]

    return realtime(ask, serve, on("response.function_call_arguments.delta", edit=told))


@fault("realtime.part-empty", breaks="realtime.responses.part")
def part_empty(ask: Ask, serve: Serve) -> Answer:
    """`content_part.done` has a part without words."""
    return realtime(ask, serve, on(PART, edit=lambda event: event["part"].update(text="")))


@fault("realtime.item-empty", breaks="realtime.responses.item")
def item_empty(ask: Ask, serve: Serve) -> Answer:
    """`output_item.done` has a message without content."""

    def told(event: Event) -> None:
        if event["item"]["type"] == "message":
            event["item"]["content"] = []

    return realtime(ask, serve, on(ITEM, edit=told))


@fault("realtime.output-empty", breaks="realtime.responses.output", also=("realtime.responses.call",))
def output_empty(ask: Ask, serve: Serve) -> Answer:
    """`response.done` has no output."""
    return ends(ask, serve, lambda response: response.update(output=[]))


@fault("realtime.output-wordless", breaks="realtime.responses.output")
def output_wordless(ask: Ask, serve: Serve) -> Answer:
    """`response.done` has its messages without their words."""

    def edit(response: Event) -> None:
        response["output"] = [{**item, "content": []} if "content" in item else item for item in response["output"]]

    return ends(ask, serve, edit)


@fault("realtime.usage-none", breaks="realtime.responses.usage")
def usage_none(ask: Ask, serve: Serve) -> Answer:
    """A response does not tell what it cost."""
    return ends(ask, serve, lambda response: response.update(usage=None))


@fault("realtime.usage-total", breaks="realtime.responses.usage")
def usage_total(ask: Ask, serve: Serve) -> Answer:
    """The total leaves the tokens of the answer out."""
    return ends(ask, serve, lambda response: response["usage"].update(total_tokens=response["usage"]["input_tokens"]))


@fault("realtime.usage-details", breaks="realtime.responses.usage")
def usage_details(ask: Ask, serve: Serve) -> Answer:
    """More tokens of text are told than were answered with."""

    def edit(response: Event) -> None:
        usage = response["usage"]
        usage["output_token_details"]["text_tokens"] = usage["output_tokens"] + 7

    return ends(ask, serve, edit)


# ---- what it says of itself


@fault("realtime.usage-text", breaks="realtime.responses.usage")
def usage_text(ask: Ask, serve: Serve) -> Answer:
    """What was cached is told as a text."""
    return ends(ask, serve, lambda response: response["usage"]["input_token_details"].update(cached_tokens="0"))


@fault("realtime.status-begun", breaks="realtime.responses.status")
def status_begun(ask: Ask, serve: Serve) -> Answer:
    """A response is completed when it is created."""
    return ends(ask, serve, lambda response: response.update(status="completed"), CREATED)


@fault("realtime.status-unfinished", breaks="realtime.responses.status")
def status_unfinished(ask: Ask, serve: Serve) -> Answer:
    """A spoken response is still in progress when it is done."""

    def edit(response: Event) -> None:
        if response["output_modalities"] == ["audio"]:
            response["status"] = "in_progress"

    return ends(ask, serve, edit)


@fault("realtime.cancelled-unexplained", breaks="realtime.responses.details")
def cancelled_unexplained(ask: Ask, serve: Serve) -> Answer:
    """A response that is not completed does not tell why."""
    return ends(ask, serve, lambda response: response.update(status_details=None))


@fault("realtime.metadata-dropped", breaks="realtime.responses.metadata")
def metadata_dropped(ask: Ask, serve: Serve) -> Answer:
    """A response has lost its metadata."""
    return ends(ask, serve, lambda response: response.update(metadata=None), CREATED, DONE)


@fault("realtime.text-spoken", breaks="realtime.responses.text")
def text_spoken(ask: Ask, serve: Serve) -> Answer:
    """An answer is spoken, though text alone was asked for."""

    def heard(said: Any) -> Event | None:
        if not named("wp_in")(said):
            return None
        return {**said, "response": {**said["response"], "output_modalities": ["audio"]}}

    return realtime(ask, serve, heard=heard)


@fault("realtime.text-beta-names", breaks="realtime.responses.text")
def text_beta_names(ask: Ask, serve: Serve) -> Answer:
    """Texts come by the names they had in the beta."""
    edit = on(DELTA, TEXT, edit=lambda event: event.update(type=event["type"].replace("output_text", "text")))
    return realtime(ask, serve, edit)


@fault("realtime.text-as-beta", breaks="realtime.responses.text")
def text_as_beta(ask: Ask, serve: Serve) -> Answer:
    """A response that is written says that it is sound and text, as those of the beta did."""
    return ends(ask, serve, lambda response: response.update(output_modalities=["text", "audio"]), CREATED, DONE)


@fault("realtime.response-changes", breaks="realtime.responses.same")
def response_changes(ask: Ask, serve: Serve) -> Answer:
    """A response is begun without its metadata."""
    return ends(ask, serve, lambda response: response.update(metadata={"purpose": "other"}), CREATED)


@fault("realtime.response-kind", breaks="realtime.responses.object")
def response_kind(ask: Ask, serve: Serve) -> Answer:
    """A response does not say that it is one."""
    return ends(ask, serve, lambda response: response.pop("object"), CREATED, DONE)


@fault("realtime.text-never-whole", breaks="realtime.responses.closed")
def text_never_whole(ask: Ask, serve: Serve) -> Answer:
    """A text comes in pieces, and is never told whole."""
    return dropped(ask, serve, TEXT)


@fault("realtime.cap-passed", breaks="realtime.responses.cap")
def cap_passed(ask: Ask, serve: Serve) -> Answer:
    """A response has more tokens than it was to have."""

    def edit(response: Event) -> None:
        if isinstance(response["max_output_tokens"], int):
            used = response["max_output_tokens"] + 1
            response["usage"].update(output_tokens=used, total_tokens=response["usage"]["input_tokens"] + used)

    return ends(ask, serve, edit)


@fault("realtime.cap-untold", breaks="realtime.responses.cap-told")
def cap_untold(ask: Ask, serve: Serve) -> Answer:
    """A response says that it has no cap."""
    return ends(ask, serve, lambda response: response.update(max_output_tokens="inf"), CREATED, DONE)


@fault("realtime.answer-forgotten", breaks="realtime.responses.kept")
def answer_forgotten(ask: Ask, serve: Serve) -> Answer:
    """What is answered is not told to have joined the conversation."""

    def told(event: Event) -> list[Event] | None:
        is_theirs = event["item"].get("role") == "assistant" or event["item"]["type"] == "function_call"
        return [] if is_theirs else None

    return realtime(ask, serve, on("conversation.item.added", "conversation.item.done", edit=told))


@fault("realtime.apart-kept", breaks="realtime.responses.apart")
def apart_kept(ask: Ask, serve: Serve) -> Answer:
    """An answer with `conversation: none` is added to the conversation all the same."""

    def told(event: Event) -> list[Event] | None:
        if event["type"] == DONE and event["response"]["conversation_id"] is None:
            item = event["response"]["output"][0]
            placed = {"previous_item_id": None, "item": item}
            steps = ("conversation.item.added", "conversation.item.done")
            return [*({"type": step, "event_id": f"event_{step}", **placed} for step in steps), event]
        return None

    return realtime(ask, serve, told)


@fault("realtime.apart-named", breaks="realtime.responses.apart")
def apart_named(ask: Ask, serve: Serve) -> Answer:
    """An answer with `conversation: none` names the conversation."""
    known: list[str] = []

    def edit(response: Event) -> None:
        known.extend([response["conversation_id"]] if response["conversation_id"] else [])
        response["conversation_id"] = response["conversation_id"] or known[0]

    return ends(ask, serve, edit, CREATED, DONE)


@fault("realtime.instructions-stay", breaks="realtime.responses.aside")
def instructions_stay(ask: Ask, serve: Serve) -> Answer:
    """Instructions for one response become those of the session."""
    after: list[str] = []

    def heard(said: Any) -> None:
        if named("wp_out")(said):
            after.append(said["response"]["instructions"])

    def told(event: Event) -> None:
        if after:
            event["session"]["instructions"] = after[-1]

    return realtime(ask, serve, on("session.updated", edit=told), heard)


@fault("realtime.result-renamed", breaks="realtime.responses.result")
def result_renamed(ask: Ask, serve: Serve) -> Answer:
    """The result of a call is told without its words."""

    def told(event: Event) -> None:
        if event["item"]["type"] == "function_call_output":
            event["item"]["output"] = ""

    return realtime(ask, serve, on("conversation.item.added", "conversation.item.done", edit=told))


@fault("realtime.conversation-each", breaks="realtime.responses.conversation")
def conversation_each(ask: Ask, serve: Serve) -> Answer:
    """Each response has a conversation of its own."""

    def edit(response: Event) -> None:
        if response["conversation_id"]:
            response["conversation_id"] = f"conv_{response['id']}"

    return ends(ask, serve, edit, CREATED, DONE)


@fault("realtime.call-nameless", breaks="realtime.responses.call")
def call_nameless(ask: Ask, serve: Serve) -> Answer:
    """The pieces of a call name it by another `call_id` than its item."""
    edit = on("response.function_call_arguments.delta", edit=lambda event: event.update(call_id="call_0"))
    return realtime(ask, serve, edit)


@fault("realtime.call-left-out", breaks="realtime.responses.call")
def call_left_out(ask: Ask, serve: Serve) -> Answer:
    """`tool_choice: required` is passed over, and the answer is a text."""

    def heard(said: Any) -> Event | None:
        return {**said, "response": {**said["response"], "tool_choice": "none"}} if named("wp_tool")(said) else None

    return realtime(ask, serve, heard=heard)


@fault("realtime.limits-swapped", breaks="realtime.rate-limits")
def limits_swapped(ask: Ask, serve: Serve) -> Answer:
    """Rate limits tell what is left and what there is the wrong way round."""

    def told(event: Event) -> None:
        for row in event["rate_limits"]:
            row["limit"], row["remaining"] = row["remaining"] - 1, row["limit"]

    return realtime(ask, serve, on("rate_limits.updated", edit=told))
