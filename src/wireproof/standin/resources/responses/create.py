"""POST /v1/responses: the answer, in one piece, as events, or later."""

from __future__ import annotations

from functools import cache
from typing import Any

from wireproof.standin.call import Call
from wireproof.standin.catalogue import Model
from wireproof.standin.chat import service_tier
from wireproof.standin.conversation import prompt_pieces
from wireproof.standin.metered import limited
from wireproof.standin.prompt_cache import LEAST_TOKENS
from wireproof.standin.reasoning import effort
from wireproof.standin.refusals import invalid
from wireproof.standin.resources.conversations import append, conversation_id_of
from wireproof.standin.resources.responses.answered import Answered, answered
from wireproof.standin.resources.responses.asked import KIND, Asked, check_asked, read, shortened
from wireproof.standin.resources.responses.kept import keep
from wireproof.standin.resources.responses.models import check_model, responding
from wireproof.standin.resources.responses.moderated import check_moderation
from wireproof.standin.resources.responses.timeline import at_moment, frames, moments, told
from wireproof.standin.resources.responses.tools import check_tools
from wireproof.standin.resources.responses.tools import told as told_tool
from wireproof.standin.semantics import check_stream_options
from wireproof.standin.serving import deed, serves
from wireproof.standin.store import Row
from wireproof.standin.structured import check_json_schema
from wireproof.standin.tokens import estimate
from wireproof.standin.wire import EVENT_STREAM, Answer, json_answer
from wireproof.standin.world import World

# The operation of a socket, whose requests come this way too.
SOCKET = "connectResponses"


@serves("createResponse")
def create(world: World, call: Call) -> Answer:
    check_asked(call.body)
    model = responding(world, call.body["model"])
    asked = cache(lambda: _fitting(read(world, call), call, model))

    def check() -> None:
        _check(world, call, model)
        asked()

    return limited(
        world,
        call,
        model,
        check=check,
        tokens=lambda: max(call.body.get("max_output_tokens") or 0, estimate(_characters(asked()))),
        answer=lambda: _answer(world, call, asked(), model),
    )


def _check(world: World, call: Call, model: Model) -> None:
    """What the schema cannot say of a request, but for what it refers to."""
    body = call.body
    check_stream_options(body)
    check_model(body, model)
    check_tools(body)
    check_moderation(world, body)
    if body.get("background") and body.get("store") is False:
        raise invalid("Background responses must be stored: 'store' cannot be false.", "store")
    most = body.get("max_output_tokens")
    if most is not None and most > model.max_output_tokens:
        raise invalid(
            f"max_output_tokens is too large: {most}. This model supports at most {model.max_output_tokens}.",
            "max_output_tokens",
            "invalid_value",
        )
    wanted = (body.get("text") or {}).get("format") or {}
    if wanted.get("type") == "json_schema":
        check_json_schema(
            wanted["schema"],
            f"response_format '{wanted['name']}'",
            "text.format.schema",
            "invalid_json_schema",
            strict=bool(wanted.get("strict")),
        )
    previous = world.table(KIND).get(body.get("previous_response_id") or "")
    if previous is not None and call.now < previous["ends"]:
        raise invalid(f"Previous response with id '{previous['id']}' is not over yet.", "previous_response_id")


def _fitting(asked: Asked, call: Call, model: Model) -> Asked:
    """The conversation, shortened if that is wished; refused if it is too long, or must speak of JSON and does not."""
    body = call.body
    room = model.context_window - (body.get("max_output_tokens") or 0)
    if asked.input_tokens > room and body.get("truncation") == "auto":
        asked = shortened(asked, body, room)
    if asked.input_tokens > room:
        raise invalid(
            "Your input exceeds the context window of this model. Please adjust your input and try again.",
            "input",
            "context_length_exceeded",
        )
    wanted = (body.get("text") or {}).get("format") or {}
    # The word has to be in the input; the instructions alone do not count (seen on the wire).
    said = [one for one in asked.messages if one["role"] != "system"]
    if wanted.get("type") == "json_object" and "json" not in str(said).lower():
        raise invalid(
            "Response input messages must contain the word 'json' in some form to use 'text.format' of type "
            "'json_object'.",
            "input",
        )
    return asked


def _characters(asked: Asked) -> int:
    return sum(len(str(message["content"])) for message in asked.messages)


def _answer(world: World, call: Call, asked: Asked, model: Model) -> Answer:
    body = call.body
    is_on_socket = call.operation.id == SOCKET
    made = answered(world, call, asked, model) if body.get("generate", True) or not is_on_socket else Answered(0)
    cached = _cached_tokens(world, call, asked, model)
    row = _row(world, call, asked, model, made, cached)
    if body.get("store") is not False:
        keep(world, row)
    elif is_on_socket:
        keep(world, {**row, "socket": call.serial})
    if conversation_id := conversation_id_of(body):
        if body.get("background"):
            world.at(row["ends"], "responses.remember", row["id"])
        else:
            append(world, conversation_id, [*row["input"], *row["response"]["output"]])
    if body.get("stream"):
        made_moments = moments(world, row, row["include"])
        return Answer(200, EVENT_STREAM, frames=frames(made_moments, call.now, obfuscated=row["pads"], seed=row["id"]))
    if body.get("background"):
        return json_answer(at_moment(world, row, call.now, row["include"]))
    return json_answer(told(row["response"], row["include"]), delay_ms=(row["ends"] - call.now) * 1000)


@deed("responses.remember")
def remember(world: World, id: str, _now: float) -> None:
    """What ran in the background is part of its conversation once it is over."""
    row = world.table(KIND).get(id)
    if row is not None and row.get("cancelled_at") is None:
        append(world, row["response"]["conversation"]["id"], [*row["input"], *row["response"]["output"]])


def _row(world: World, call: Call, asked: Asked, model: Model, made: Answered, cached: int) -> Row:
    body = call.body
    response = _response(call, asked, model, made, cached)
    pictures = [tool for tool in body.get("tools") or () if tool["type"] == "image_generation"]
    row: Row = {
        "id": response["id"],
        "response": response,
        "input": list(asked.given),
        "started": call.now,
        "ends": call.now,
        "reasoning_tokens": made.reasoning_tokens,
        "partial_images": pictures[0].get("partial_images", 0) if pictures else 0,
        "include": body.get("include") or [],
        "pads": (body.get("stream_options") or {}).get("include_obfuscation", True),
    }
    row["ends"] = _ends(world, row, made)
    if made.reason is None:
        response["completed_at"] = int(row["ends"])
    return row


def _ends(world: World, row: Row, made: Answered) -> float:
    """When it is over. A plain answer takes as long as its stream would."""
    if row["response"]["background"]:
        return moments(world, row)[-1].due_s
    latency_ms = world.setup.latency.whole_ms(made.output_tokens, row["id"]) if made.output_tokens else 0.0
    return float(row["started"] + latency_ms / 1000)


def _response(call: Call, asked: Asked, model: Model, made: Answered, cached: int) -> dict[str, Any]:
    """The response as it ends. `completed_at` is filled in when that is known."""
    body = call.body
    conversation_id = conversation_id_of(body)
    reasoning = body.get("reasoning") or {}
    text = body.get("text") or {}
    response: dict[str, Any] = {
        "id": call.id("resp_"),
        "object": "response",
        "created_at": int(call.now),
        "status": "incomplete" if made.reason else "completed",
        "background": bool(body.get("background")),
        "completed_at": None,
        "conversation": {"id": conversation_id} if conversation_id else None,
        "error": None,
        "incomplete_details": {"reason": made.reason} if made.reason else None,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "max_tool_calls": body.get("max_tool_calls"),
        "model": model.snapshot,
        "moderation": made.moderation,
        "output": made.items,
        "parallel_tool_calls": body.get("parallel_tool_calls") is not False,
        "previous_response_id": body.get("previous_response_id"),
        "prompt_cache_key": body.get("prompt_cache_key"),
        "prompt_cache_retention": body.get("prompt_cache_retention"),
        "reasoning": {
            "effort": effort(model, reasoning.get("effort")) if model.reasons else None,
            "summary": reasoning.get("summary") or reasoning.get("generate_summary"),
        },
        "safety_identifier": body.get("safety_identifier"),
        "service_tier": service_tier(body),
        "store": body.get("store") is not False,
        "temperature": _or_one(body.get("temperature")),
        "text": {"format": _format(text.get("format")), "verbosity": text.get("verbosity") or "medium"},
        "tool_choice": body.get("tool_choice") or "auto",
        "tools": [told_tool(tool) for tool in body.get("tools") or ()],
        "top_logprobs": body.get("top_logprobs") or 0,
        "top_p": _or_one(body.get("top_p")),
        "truncation": body.get("truncation") or "disabled",
        "usage": _usage(asked, made, cached),
        "metadata": body.get("metadata") or {},
    }
    if body.get("user") is not None:
        response["user"] = body["user"]
    if options := body.get("prompt_cache_options"):
        response["prompt_cache_options"] = {"mode": "implicit", "ttl": "30m", **options}
    return response


def _or_one(value: float | None) -> float:
    return 1.0 if value is None else value


def _format(wanted: dict[str, Any] | None) -> dict[str, Any]:
    if wanted is None or wanted["type"] != "json_schema":
        return wanted or {"type": "text"}
    return {**wanted, "strict": bool(wanted.get("strict"))}


def _usage(asked: Asked, made: Answered, cached: int) -> dict[str, Any]:
    return {
        "input_tokens": asked.input_tokens,
        "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": 0},
        "output_tokens": made.output_tokens,
        "output_tokens_details": {"reasoning_tokens": made.reasoning_tokens},
        "total_tokens": asked.input_tokens + made.output_tokens,
    }


def _cached_tokens(world: World, call: Call, asked: Asked, model: Model) -> int:
    if asked.input_tokens < LEAST_TOKENS:
        return 0
    owner = f"{call.key}/{model.snapshot}/{call.body.get('prompt_cache_key')}"
    return min(world.prompt_cache.cached_tokens(owner, prompt_pieces(asked.chat)), asked.input_tokens)
