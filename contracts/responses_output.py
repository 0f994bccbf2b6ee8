"""What a response says: the items of its output, the parts of its messages, the ids by which calls are answered.

The requests are those of responses.py and its neighbours.
"""

from __future__ import annotations

import re

from wireproof.clause import Exchange, NotApplicable, clause, expect, shown

from ._reading import as_list, as_object, as_text, told
from ._response_stream import items_in_events, parts_in_events
from ._responses import (
    SPOKEN,
    WHOLE,
    calls_of,
    ended,
    items_of,
    parts_of,
    reasoning_tokens,
    refuses,
    text_of,
    told_by,
    usage_of,
)


@clause("responses.output", level="MUST", source="SPEC Response.output, OutputItem.type", on=WHOLE)
def output_is_a_list_of_items(exchange: Exchange) -> None:
    """`output` is a list of items, objects that say what they are in `type`."""
    response = told_by(exchange)
    output = response.body.get("output")
    response.must(isinstance(output, list), "/output", expected="a list", got=told(response.body, "output"))
    for at, item in enumerate(as_list(output)):
        held = isinstance(item, dict) and isinstance(item.get("type"), str) and bool(item["type"])
        response.must(held, f"/output/{at}", expected="an object with a type", got=shown(item))


@clause("responses.item-ids", level="MUST", source="SPEC OutputMessage.id, ReasoningItem.id", on=WHOLE)
def items_have_ids_of_their_own(exchange: Exchange) -> None:
    """Messages and reasoning have an `id` that is not empty, and no two items of a response share one.

    Clients refer to items by it; a call of a function may go without one, for it is answered by its `call_id`.
    """
    response = told_by(exchange)
    seen: dict[str, str] = {}
    for at, item in items_of(response):
        id = item.get("id")
        if id is None and item.get("type") not in ("message", "reasoning"):
            continue
        held = isinstance(id, str) and bool(id.strip())
        response.must(held, f"{at}/id", expected="a non-empty string", got=told(item, "id"))
        other = seen.setdefault(str(id), at)
        response.must(other == at, f"{at}/id", expected=f"an id other than that of {other}", got=shown(id))


@clause("responses.role", level="MUST", source="SPEC OutputMessage.role", on=WHOLE)
def messages_are_the_assistants(exchange: Exchange) -> None:
    """Every message of the output has the role `assistant`, in the events of a stream as well."""
    response = told_by(exchange)
    for at, item in items_of(response, "message"):
        response.must(item.get("role") == "assistant", f"{at}/role", expected='"assistant"', got=told(item, "role"))
    for event, item in items_in_events(exchange, "message"):
        held = item.get("role") == "assistant"
        expect(held, expected='"assistant"', got=told(item, "role"), at="/item/role", event=event)


@clause("responses.content", level="MUST", source="SPEC OutputMessage.content", on=WHOLE)
def content_is_a_list_of_parts(exchange: Exchange) -> None:
    """The `content` of a message is a list of parts: text is of type `output_text`, a refusal of type `refusal`.

    `text`, the type of another API, and a bare string are read by no client.
    """
    response = told_by(exchange)
    for at, item in items_of(response, "message"):
        content = item.get("content")
        response.must(isinstance(content, list), f"{at}/content", expected="a list", got=told(item, "content"))
        for place, part in enumerate(as_list(content)):
            here = f"{at}/content/{place}"
            kind = as_object(part).get("type")
            response.must(isinstance(kind, str), here, expected="an object with a type", got=shown(part))
            field = SPOKEN.get(str(kind))
            if field is not None:
                held = isinstance(part.get(field), str)
                response.must(held, f"{here}/{field}", expected="a string", got=told(part, field))
            else:
                held = not isinstance(part.get("text"), str)
                response.must(held, f"{here}/type", expected='text in a part of type "output_text"', got=shown(kind))


@clause("responses.annotations", level="MUST", source="SPEC OutputTextContent.annotations; SDK", on=WHOLE)
def texts_have_annotations(exchange: Exchange) -> None:
    """Every `output_text` has its `annotations`, an empty list where there are none. So have the parts of events."""
    response = told_by(exchange)
    for at, part in parts_of(response):
        if part.get("type") == "output_text":
            held = isinstance(part.get("annotations"), list)
            response.must(held, f"{at}/annotations", expected="a list", got=told(part, "annotations"))
    for event, part in parts_in_events(exchange, "output_text"):
        held = isinstance(part.get("annotations"), list)
        expect(held, expected="a list", got=told(part, "annotations"), at="/part/annotations", event=event)


# Fewer tokens can be a stray space or an end mark.
ENOUGH_TOKENS = 4


@clause("responses.text", level="SHOULD", source="SPEC Response.output", on=WHOLE, model="some-output")
def text_is_not_lost(exchange: Exchange) -> None:
    """A completed response that cost tokens says something: a text, a refusal, or a call of a tool."""
    response = ended(exchange)
    spent = usage_of(response).get("output_tokens")
    spent = spent - reasoning_tokens(response) if isinstance(spent, int) else 0
    if response.status != "completed" or spent < ENOUGH_TOKENS:
        raise NotApplicable("no answer that ended by itself is long enough")
    others = [item for _, item in items_of(response) if item.get("type") not in ("message", "reasoning")]
    says = bool(text_of(response)) or refuses(response) or bool(others)
    response.must(says, "/output", expected=f"the text of {spent} tokens", got=shown(response.body.get("output")))


LEAKED = re.compile(r"</?think(ing)?>|<\|[a-z_]{2,40}\|>|\[/?INST\]|<(start|end)_of_turn>|<</?SYS>>", re.I)


@clause("responses.leaks", level="SHOULD", source="SPEC OutputTextContent.text", on=WHOLE, model="some-output")
def text_is_the_answer_only(exchange: Exchange) -> None:
    """A text is the answer alone: no `<think>` block, no token of the prompt template.

    Thoughts belong in items of type `reasoning`.
    """
    question = exchange.request.body.decode("utf-8", "replace")
    response = told_by(exchange)
    for at, part in parts_of(response):
        leaked = LEAKED.search(as_text(part.get("text")))
        if leaked and leaked[0] not in question:
            response.must(False, f"{at}/text", expected="the answer only", got=shown(part["text"]))


@clause("responses.call-ids", level="MUST", source="SPEC FunctionToolCall.call_id; DOCS-0715", on=WHOLE)
def calls_can_be_answered(exchange: Exchange) -> None:
    """Every call of a function has a `call_id` of its own, a string that is not empty: the result names it.

    So has that of a custom tool.
    """
    response = told_by(exchange)
    calls = list(items_of(response, "function_call", "custom_tool_call"))
    if not calls:
        raise NotApplicable("no function was called")
    seen: dict[str, str] = {}
    for at, call in calls:
        id = call.get("call_id")
        held = isinstance(id, str) and bool(id.strip())
        response.must(held, f"{at}/call_id", expected="a non-empty string", got=told(call, "call_id"))
        other = seen.setdefault(str(id), at)
        response.must(other == at, f"{at}/call_id", expected=f"an id other than that of {other}", got=shown(id))


@clause("responses.call-id-kind", level="SHOULD", source="DOCS-0715 function-calling: id and call_id differ", on=WHOLE)
def call_id_is_not_the_items_id(exchange: Exchange) -> None:
    """The `call_id` of a call is not the `id` of its item: the one is answered, the other refers to the item."""
    response = told_by(exchange)
    calls = [(at, call) for at, call in calls_of(response) if call.get("id") and call.get("call_id")]
    if not calls:
        raise NotApplicable("no call has both")
    for at, call in calls:
        held = call["id"] != call["call_id"]
        response.must(held, f"{at}/call_id", expected="another id than that of the item", got=shown(call["call_id"]))
