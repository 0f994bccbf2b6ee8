"""What a response repeats of its request: whoever keeps the response alone must know how it came about.

A key that an answer leaves out is judged by responses.echo-keys, never here. The requests are those of responses.py
and its neighbours.
"""

from __future__ import annotations

from typing import Any

from wireproof.clause import Exchange, NotApplicable, answered, clause, shown

from ._reading import as_object, as_objects
from ._responses import RESPONSE, told_by

MADE = answered(RESPONSE)


# A null in their place says that they are not known, which is as good as no key; other types the schema judges.
NEWER = ("truncation", "max_tool_calls", "safety_identifier", "prompt_cache_key")


def _expect_repeated(exchange: Exchange, *names: str) -> None:
    asked, response = exchange.request.asked, told_by(exchange)
    judged = [name for name in names if asked.get(name) is not None and name in response.body]
    judged = [name for name in judged if name not in NEWER or isinstance(response.body[name], type(asked[name]))]
    for name in judged:
        wanted, got = asked[name], response.body[name]
        response.must(got == wanted, f"/{name}", expected=f"{shown(wanted)}, as asked", got=shown(got))
    if not judged:
        raise NotApplicable(f"no answer repeats {', '.join(names)}")


@clause("responses.echo.instructions", level="MUST", source="SPEC Response.instructions", on=MADE)
def instructions_come_back(exchange: Exchange) -> None:
    """A response repeats the `instructions` of its request; they may come as a list of items."""
    asked, response = exchange.request.asked.get("instructions"), told_by(exchange)
    if not isinstance(asked, str) or "instructions" not in response.body:
        raise NotApplicable("no answer repeats instructions")
    got = response.body["instructions"]
    held = got == asked or (isinstance(got, list) and asked in str([_texts(item) for item in as_objects(got)]))
    response.must(held, "/instructions", expected=f"{shown(asked)}, as asked", got=shown(got))


def _texts(item: dict[str, Any]) -> Any:
    content = item.get("content")
    return content if isinstance(content, str) else "".join(str(part.get("text")) for part in as_objects(content))


@clause("responses.echo.metadata", level="MUST", source="SPEC Metadata", on=MADE)
def metadata_comes_back(exchange: Exchange) -> None:
    """A response carries the `metadata` of its request, unchanged: programs find their own business by it."""
    _expect_repeated(exchange, "metadata")


@clause("responses.echo.previous", level="MUST", source="SPEC Response.previous_response_id", on=MADE)
def the_response_before_is_named(exchange: Exchange) -> None:
    """A response names the one it went on from: `previous_response_id`, as asked.

    A gateway that rewrites ids must rewrite this one too: clients walk back along it.
    """
    _expect_repeated(exchange, "previous_response_id")


@clause(
    "responses.echo.settings",
    level="SHOULD",
    source="SPEC Response: temperature, top_p, max_output_tokens, parallel_tool_calls, truncation, max_tool_calls",
    on=MADE,
)
def settings_come_back(exchange: Exchange) -> None:
    """A response repeats the settings that were asked: `temperature`, `top_p`, `max_output_tokens`,
    `parallel_tool_calls`, `top_logprobs`, and `truncation`, `max_tool_calls`, `safety_identifier`, `prompt_cache_key`
    where it knows them.

    A default in the place of what was asked is the sign of a setting that got lost. (`store` and `background` may say
    honestly that nothing is kept, and that nobody had to wait; but not that something is kept that should not be.)
    """
    if exchange.request.asked.get("store") is False:
        response = told_by(exchange)
        response.must(response.body.get("store") is not True, "/store", expected="false, as asked", got="true")
    _expect_repeated(
        exchange,
        "temperature",
        "top_p",
        "max_output_tokens",
        "parallel_tool_calls",
        "top_logprobs",
        *NEWER,
    )


@clause("responses.echo.format", level="MUST", source="SPEC Response.text", on=MADE)
def the_format_comes_back(exchange: Exchange) -> None:
    """A response repeats the `text.format` that was asked: its type, and the name of its schema."""
    asked, response = as_object(as_object(exchange.request.asked.get("text")).get("format")), told_by(exchange)
    got = as_object(as_object(response.body.get("text")).get("format"))
    if not asked.get("type") or not got:
        raise NotApplicable("no answer repeats a format")
    for name in ("type", "name"):
        if name in asked:
            wanted = asked[name]
            response.must(
                got.get(name) == wanted, f"/text/format/{name}", expected=shown(wanted), got=shown(got.get(name))
            )


@clause("responses.echo.tools", level="MUST", source="SPEC Response.tools, Response.tool_choice", on=MADE)
def tools_come_back(exchange: Exchange) -> None:
    """A response repeats the tools of its request, and its `tool_choice`.

    Their order is free, and tools that were found while it answered may stand beside them.
    """
    asked, response = exchange.request.asked, told_by(exchange)
    wanted, got = as_objects(asked.get("tools")), response.body.get("tools")
    if not wanted or got is None:
        raise NotApplicable("no answer repeats tools")
    # By name: a function that a search may find comes back as a namespace of that name.
    names = [tool.get("name") or tool.get("type") for tool in wanted]
    told = [tool.get("name") or tool.get("type") for tool in as_objects(got)]
    response.must(all(name in told for name in names), "/tools", expected=shown(names), got=shown(told))
    choice = response.body.get("tool_choice")
    if asked.get("tool_choice") is not None and choice is not None:
        held = _choice(choice) == _choice(asked["tool_choice"])
        response.must(held, "/tool_choice", expected=shown(asked["tool_choice"]), got=shown(choice))


def _choice(choice: Any) -> Any:
    """A choice by its type and name alone; it may come back with more keys."""
    return (choice.get("type"), choice.get("name")) if isinstance(choice, dict) else choice
