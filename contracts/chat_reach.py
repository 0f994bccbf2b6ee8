"""Did it reach the model? What a request says must show in `usage.prompt_tokens`, one cheap token an answer.

A gateway that drops a field still answers 200 with a plausible text. The count tells: more said costs more
prompt tokens, the same said in another way costs the same. That holds for every model, however weak. (A
server that leaves cached tokens out of `prompt_tokens` breaks these laws as well: cached tokens are a part.)
"""

from __future__ import annotations

import json
from typing import Any

from wireproof.clause import (
    MODEL,
    Exchange,
    Inconclusive,
    NotApplicable,
    Probe,
    clause,
    expect,
    probe,
    sent,
    together,
)

from ._acceptance import OTHER_TROUBLE, expect_feature_served
from ._asked import has_tools
from ._measure import LONG, ORDERS, THRICE, TOLD_BY_MEASURE
from ._reading import as_count, as_object, error_of
from ._stream import bodies

CHAT = "createChatCompletion"
FIRST = "In the café of Zürich’s old station, a “naïve” waiter sold crème brûlée to a señor from São Paulo. "
SECOND = "Say in one short word what the señor from São Paulo may have paid for it, in euros: 5 € or 50 €?"
USER = {"role": "user", "content": FIRST + SECOND}
SURE = "Are you quite sure?"
HISTORY = [{"role": "assistant", "content": LONG}, {"role": "user", "content": SURE}]
# 64 x 64 pixels of one blue, PNG: small, and yet above the least size that vision models take.
PICTURE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAIAAAAlC+aJAAAAT0lEQVR42u3PQQkAAAgEsItiVCMayQi+hcEKLNXzWgQEBAQE"
    "BAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQELgu0mwFamOOLGQAAAABJRU5ErkJggg=="
)


def _text(*texts: str) -> list[dict[str, str]]:
    return [{"type": "text", "text": text} for text in texts]


PARTS = _text(FIRST, SECOND)
# Templates put a line break or a mark between two parts; a list printed as text would cost ten tokens and more.
PART_FRAMING = 6


def _probe(name: str, about: str, messages: list[Any], **more: Any) -> Probe:
    body = {"model": MODEL, "messages": messages, "max_tokens": 1, **more}
    return probe(f"reach.{name}", "POST", "/chat/completions", body, about=about)


# The request of reach.plain in other bytes: keys turned round, white space, every letter beyond ASCII escaped.
RESPELLED = json.dumps(
    {"max_tokens": 1, "messages": [{"content": USER["content"], "role": "user"}], "model": MODEL}, indent=4
).encode()
PROBES = (
    _probe("plain", "the measure of all others", [USER]),
    probe("reach.respelled", "POST", "/chat/completions", RESPELLED, about="the same JSON in other bytes"),
    _probe("parts", "the same text in two parts", [{"role": "user", "content": PARTS}]),
    _probe("system", "a long system message more", [{"role": "system", "content": ORDERS}, USER]),
    _probe(
        "developer",
        "the same as a developer message, and two turns, of which one is three times as long",
        [{"role": "developer", "content": ORDERS}, USER, *HISTORY],
    ),
    _probe(
        "in-parts",
        "the same turns in parts, from the system message on, streamed",
        [
            {"role": "system", "content": _text(ORDERS)},
            USER,
            {"role": "assistant", "content": _text(LONG)},
            {"role": "user", "name": "guest", "content": _text(SURE)},
        ],
        stream=True,
        stream_options={"include_usage": True},
    ),
    _probe(
        "image",
        "a picture more",
        [{"role": "user", "content": [*PARTS, {"type": "image_url", "image_url": {"url": PICTURE}}]}],
    ),
)


TURNS = ("plain", "respelled", "parts", "system", "developer", "in-parts")


def _prompt_tokens(exchange: Exchange) -> int:
    usages = [as_object(body.get("usage")) for _, body in bodies(exchange)]
    counts = [count for usage in usages if (count := as_count(usage.get("prompt_tokens"))) is not None]
    count = counts[-1] if counts else None
    if count is None:
        raise Inconclusive(f"{exchange.id} does not say its prompt_tokens")
    return count


def _expect_more(less: Exchange, more: Exchange, what: str, slack: int = 0) -> None:
    least, got = _prompt_tokens(less) + slack, _prompt_tokens(more)
    expect(got > least, expected=f"more than {least} prompt tokens, {what}", got=str(got), at="/usage/prompt_tokens")


@clause(
    "chat.reach.accepts",
    level="MUST",
    source="SPEC ChatCompletionRequestMessage: roles and forms of content",
    on=sent(CHAT, probes=[f"reach.{name}" for name in TURNS]),
)
def roles_and_forms_of_content_are_accepted(exchange: Exchange) -> None:
    """Messages of role system, developer, user and assistant are accepted, content as a string or as text parts.

    A refusal with a code such as `unsupported_value` is no finding.
    """
    expect_feature_served(exchange)


@clause(
    "chat.reach.respelled",
    level="MUST",
    source="SPEC application/json; RFC 8259 4, 7: order of members and escapes carry no meaning",
    on=together("reach.plain", "reach.respelled"),
)
def the_spelling_of_json_does_not_matter(plain: Exchange, respelled: Exchange) -> None:
    """Letters written as escapes, another order of keys and white space do not change `prompt_tokens`."""
    wanted, got = _prompt_tokens(plain), _prompt_tokens(respelled)
    expect(got == wanted, expected=f"{wanted} prompt tokens", got=str(got), at="/usage/prompt_tokens")


@clause(
    "chat.reach.parts",
    level="MUST",
    source="SPEC ChatCompletionRequestUserMessage.content: array of parts",
    on=together("reach.plain", "reach.parts"),
)
def every_text_part_reaches_the_model(plain: Exchange, parts: Exchange) -> None:
    """Text given as several parts counts at least as much as the same text given as one string."""
    least, got = _prompt_tokens(plain) - PART_FRAMING, _prompt_tokens(parts)
    expect(got >= least, expected=f"at least {least} prompt tokens", got=str(got), at="/usage/prompt_tokens")


@clause(
    "chat.reach.parts-as-text",
    level="SHOULD",
    source="SPEC ChatCompletionRequestUserMessage.content: array of parts",
    on=together("reach.plain", "reach.parts"),
)
def text_parts_cost_no_more_than_text(plain: Exchange, parts: Exchange) -> None:
    """Text given as parts costs what the same text costs as one string, but for a few tokens of framing.

    A much higher count tells that the list went into the prompt as it was written, brackets and keys included.
    """
    most, got = _prompt_tokens(plain) + PART_FRAMING, _prompt_tokens(parts)
    expect(got <= most, expected=f"at most {most} prompt tokens", got=str(got), at="/usage/prompt_tokens")


@clause(
    "chat.reach.system",
    level="MUST",
    source="SPEC ChatCompletionRequestSystemMessage",
    on=together("reach.plain", "reach.system"),
    fields=("messages",),
)
def system_messages_reach_the_model(plain: Exchange, system: Exchange) -> None:
    """A system message adds to `prompt_tokens`."""
    _expect_more(plain, system, "with a system message more")


def _orders(plain: Exchange, system: Exchange) -> int:
    """What ORDERS cost as a system message. Raises Inconclusive when they cost nothing."""
    cost = _prompt_tokens(system) - _prompt_tokens(plain)
    if cost <= 0:
        raise Inconclusive("a system message costs nothing here, so there is no measure")
    return cost


@clause(
    "chat.reach.developer",
    level="MUST",
    source="SPEC ChatCompletionRequestDeveloperMessage: replaces the system message",
    on=together("reach.plain", "reach.system", "reach.developer"),
    fields=("messages",),
)
def developer_messages_reach_the_model(plain: Exchange, system: Exchange, developer: Exchange) -> None:
    """A developer message adds to `prompt_tokens` as the same system message does."""
    cost = _orders(plain, system)
    # The turn that rides along costs three times as much, when it is not lost.
    turn = THRICE * cost if _has_history(plain, system, developer) else 0
    _expect_more(plain, developer, "with a developer message more", slack=turn + cost // 2)


@clause(
    "chat.reach.history",
    level="MUST",
    source="SPEC CreateChatCompletionRequest.messages: the conversation so far",
    on=together("reach.plain", "reach.system", "reach.developer"),
    fields=("messages",),
)
def earlier_turns_reach_the_model(plain: Exchange, system: Exchange, developer: Exchange) -> None:
    """What the assistant said before adds to `prompt_tokens`, as much as it costs elsewhere."""
    held = _has_history(plain, system, developer)
    least = _prompt_tokens(plain) + THRICE * _orders(plain, system) - _orders(plain, system) // 2
    got = str(_prompt_tokens(developer))
    expect(held, expected=f"at least {least} prompt tokens, with a long turn more", got=got, at="/usage/prompt_tokens")


def _has_history(plain: Exchange, system: Exchange, developer: Exchange) -> bool:
    """Whether the long turn is counted: developer message and framing cost less than half of it."""
    cost = _orders(plain, system)
    return _prompt_tokens(developer) - _prompt_tokens(plain) >= THRICE * cost - cost // 2


@clause(
    "chat.reach.in-parts",
    level="MUST",
    source="SPEC ChatCompletionRequestSystemMessage.content, ChatCompletionRequestAssistantMessage.content: parts",
    on=together("reach.developer", "reach.in-parts"),
    fields=("messages",),
)
def parts_of_all_roles_reach_the_model(text: Exchange, parts: Exchange) -> None:
    """Content in text parts reaches the model whoever says it, streamed too: it costs at least what the text costs.

    What is made for the parts of users alone turns those of a system message into `[object Object]`, or blanks what
    the assistant said.
    """
    least, got = _prompt_tokens(text) - 2 * PART_FRAMING, _prompt_tokens(parts)
    expect(got >= least, expected=f"at least {least} prompt tokens", got=str(got), at="/usage/prompt_tokens")


@clause(
    "chat.reach.tools",
    level="MUST",
    source="DOCS-0715 function-calling: functions count as input tokens",
    on=together("tools.named", "tools.required"),
    fields=("tools",),
)
def tools_reach_the_model(one: Exchange, two: Exchange) -> None:
    """One more declared tool adds to `prompt_tokens`.

    The same count means that the declaration never reached the prompt: a chat template without tools, or a gateway
    that drops them.
    """
    if not (has_tools(one.request.asked) and has_tools(two.request.asked)):
        raise NotApplicable("tools are refused, and were left out")
    _expect_more(one, two, "with one tool more")


@clause(
    "chat.reach.tools-described",
    level="MUST",
    source="SPEC FunctionObject.description: used by the model to choose when and how to call the function",
    on=together("reach.plain", "reach.system", "tools.named", "tools.required"),
    fields=("tools",),
)
def descriptions_of_tools_reach_the_model(plain: Exchange, system: Exchange, one: Exchange, two: Exchange) -> None:
    """The description of a tool adds to `prompt_tokens` as much as such a text costs elsewhere."""
    if not (has_tools(one.request.asked) and has_tools(two.request.asked)):
        raise NotApplicable("tools are refused, and were left out")
    if _prompt_tokens(two) <= _prompt_tokens(one):
        raise NotApplicable("the tool costs nothing at all: chat.reach.tools judges that")
    # Names and parameters cost something, too: what is a little cheaper there than in a message is no loss.
    least = round(_orders(plain, system) * TOLD_BY_MEASURE * 0.85)
    _expect_more(one, two, "with a tool more that has a long description", slack=least)


@clause(
    "chat.reach.tool-turns",
    level="MUST",
    source="SPEC ChatCompletionRequestToolMessage.content, ChatCompletionMessageToolCall.function.arguments",
    on=together("reach.plain", "reach.system", "tools.result"),
    fields=("messages",),
)
def calls_and_results_reach_the_model(plain: Exchange, system: Exchange, result: Exchange) -> None:
    """The arguments of an earlier call and the result of another add to `prompt_tokens`, each as its text costs.

    A result that is lost makes the model call again, or answer without it.
    """
    # Each is three times the measure; the rest is shorter than what reach.plain asks, or the declaration of a tool.
    cost = _orders(plain, system)
    _expect_more(plain, result, "with long arguments and a long result", slack=2 * THRICE * cost - cost)


@clause(
    "chat.reach.image",
    level="MUST",
    source="SPEC ChatCompletionRequestMessageContentPartImage",
    on=together("reach.parts", "reach.image", status="any"),
    fields=("messages",),
)
def images_reach_the_model(parts: Exchange, image: Exchange) -> None:
    """An image part adds to `prompt_tokens`, or the request is refused; it is never dropped in silence."""
    if parts.status != 200:
        raise Inconclusive(f"reach.parts was answered {parts.status}")
    if image.status in OTHER_TROUBLE:
        raise Inconclusive(f"{image.id} was answered {image.status}")
    if image.status != 200:
        raise NotApplicable(f"images are refused: {image.status} {error_of(image).get('message', '')}")
    _expect_more(parts, image, "with an image more")
