"""What a response costs and where it ends: its usage, `max_output_tokens`, and whether all that was asked was read.

The requests are those of responses.py and its neighbours. More said costs more input tokens, the same said in another
way costs the same: that holds for every model, however weak.
"""

from __future__ import annotations

from typing import Any

from wireproof.clause import (
    MODEL,
    Exchange,
    Inconclusive,
    NotApplicable,
    answered,
    clause,
    expect,
    probe,
    sequence,
    shown,
    together,
)

from ._acceptance import OTHER_TROUBLE
from ._asked import has_tools
from ._reading import as_count, as_object, as_text, error_of, maybe_object, told
from ._response_asks import ORDERS, TURNS
from ._responses import (
    RESPONSE,
    WHOLE,
    Told,
    counted,
    ended,
    input_tokens,
    items_of,
    text_of,
    told_by,
    usage_of,
)

COUNTS = ("input_tokens", "output_tokens", "total_tokens")
DETAILS = {"input_tokens_details": "input_tokens", "output_tokens_details": "output_tokens"}
PARTS = ("cached_tokens", "cache_write_tokens", "audio_tokens", "text_tokens", "image_tokens", "reasoning_tokens")

COUNT = probe(
    "responses.count",
    "POST",
    "/responses/input_tokens",
    {"model": MODEL, "input": TURNS, "instructions": ORDERS, "text": {"format": {"type": "text"}}},
    about="what the question with a developer's message and instructions would cost",
)


# ------------------------------------------------------------------------------------------------- usage


@clause("responses.usage", level="MUST", source="SPEC ResponseUsage.required", on=WHOLE)
def usage_is_there(exchange: Exchange) -> None:
    """A response that is over says what it cost: `usage` with whole `input_tokens`, `output_tokens`, `total_tokens`.

    Bills and budgets read exactly these names; `prompt_tokens` belongs to chat completions.
    """
    response = ended(exchange)
    found = response.body.get("usage")
    response.must(
        isinstance(found, dict), "/usage", expected=f"an object with {shown(COUNTS)}", got=told(response.body, "usage")
    )
    for name in COUNTS:
        count = as_count(as_object(found).get(name))
        held = count is not None and count >= 0
        response.must(held, f"/usage/{name}", expected="a whole number, 0 or more", got=told(as_object(found), name))


@clause("responses.usage-details", level="MUST", source="SPEC ResponseUsage.required", on=WHOLE)
def usage_has_its_details(exchange: Exchange) -> None:
    """The usage has `input_tokens_details` and `output_tokens_details`, both objects.

    Those of chat completions are optional, these are promised: typed clients fail to decode a usage without them, and
    agents add up `cached_tokens` and `reasoning_tokens` without asking. What the objects count is free.
    """
    response = ended(exchange)
    usage = usage_of(response)
    if "input_tokens" not in usage:
        raise NotApplicable("the usage is of another API: responses.usage judges that")
    for name in DETAILS:
        response.must(isinstance(usage.get(name), dict), f"/usage/{name}", expected="an object", got=told(usage, name))


@clause(
    "responses.usage-detail-counts",
    level="SHOULD",
    source="SPEC ResponseUsage: cached_tokens, reasoning_tokens",
    on=WHOLE,
)
def details_are_counts(exchange: Exchange) -> None:
    """`cached_tokens` and `reasoning_tokens`, where the details have them, are whole numbers: 0 where nothing is known,
    for null cannot be added up.
    """
    response, judged = ended(exchange), False
    for name, part in (("input_tokens_details", "cached_tokens"), ("output_tokens_details", "reasoning_tokens")):
        details = as_object(usage_of(response).get(name))
        if part in details:
            judged, held = True, as_count(details[part]) is not None
            response.must(held, f"/usage/{name}/{part}", expected="a whole number", got=shown(details[part]))
    if not judged:
        raise NotApplicable("the usage has no such details")


@clause("responses.usage-parts", level="MUST", source="SPEC ResponseUsage; DOCS-0715", on=WHOLE)
def details_are_parts(exchange: Exchange) -> None:
    """Cached tokens are a part of `input_tokens`, reasoning tokens of `output_tokens`; never more."""
    response = ended(exchange)
    usage, judged = usage_of(response), False
    for name, whole in DETAILS.items():
        details, most = as_object(usage.get(name)), as_count(usage.get(whole))
        for part in PARTS:
            if details.get(part) is None or most is None:
                continue
            count, judged = as_count(details[part]), True
            response.must(
                count is not None and 0 <= count <= most,
                f"/usage/{name}/{part}",
                expected=f"a whole number from 0 to {most} ({whole})",
                got=shown(details[part]),
            )
    if not judged:
        raise NotApplicable("the usage has no details")


@clause("responses.usage-total", level="MUST", source="SPEC ResponseUsage.total_tokens", on=WHOLE)
def total_is_the_sum(exchange: Exchange) -> None:
    """`total_tokens` is `input_tokens` plus `output_tokens`."""
    response = ended(exchange)
    read, written, total = (counted(response, name) for name in COUNTS)
    expected = f"{read} + {written} = {read + written}"
    response.must(total == read + written, "/usage/total_tokens", expected=expected, got=total)


@clause("responses.usage-counts", level="MUST", source="SPEC ResponseUsage", on=WHOLE, model="some-output")
def what_was_said_is_counted(exchange: Exchange) -> None:
    """An input costs at least one token, and so does an output with a text or a call in it."""
    response = ended(exchange)
    read, written = counted(response, "input_tokens"), counted(response, "output_tokens")
    response.must(read >= 1, "/usage/input_tokens", expected="at least 1", got=read)
    if text_of(response) or list(items_of(response, "function_call")):
        response.must(written >= 1, "/usage/output_tokens", expected="at least 1", got=written)


@clause(
    "responses.usage-parity",
    level="MUST",
    source="SPEC ResponseUsage.input_tokens",
    on=together("responses.plain", "responses.stream"),
)
def streams_count_as_plain_answers_do(plain: Exchange, streamed: Exchange) -> None:
    """The same request has the same `input_tokens`, streamed or not."""
    _expect_same(streamed, input_tokens(plain), "as without the stream")


# ------------------------------------------------------------------------------------------- where it ends


def _cap(exchange: Exchange) -> int | None:
    cap = exchange.request.asked.get("max_output_tokens")
    return cap if isinstance(cap, int) and cap > 0 else None


CAPPED = answered(RESPONSE, asks=lambda body: isinstance(body.get("max_output_tokens"), int))


@clause(
    "responses.cap",
    level="MUST",
    source="SPEC CreateResponse.max_output_tokens",
    on=CAPPED,
    model="some-output",
    fields=("max_output_tokens",),
)
def the_cap_is_kept(exchange: Exchange) -> None:
    """No response has more `output_tokens` than `max_output_tokens`; reasoning counts among them."""
    response, cap = ended(exchange), _cap(exchange) or 0
    written = counted(response, "output_tokens")
    response.must(written <= cap, "/usage/output_tokens", expected=f"at most {cap}", got=written)


@clause(
    "responses.incomplete",
    level="MUST",
    source="SPEC Response.status, Response.incomplete_details: max_output_tokens",
    on=sequence(CAPPED),
    model="some-output",
)
def cut_responses_say_so(exchanges: list[Exchange]) -> None:
    """A response that `max_output_tokens` cut is `incomplete`, with the reason `max_output_tokens`.

    An answer that just fills its maximum may have ended by itself: `completed` is a breach only where another answer
    to the same input shows how the text goes on.
    """
    judged = 0
    for exchange in exchanges:
        response = _filled(exchange)
        if response is None:
            continue
        longer = next((other.id for other in exchanges if _goes_on(response, exchange, other)), None)
        if response.status == "completed" and longer is None:
            continue
        why = f": {longer} shows how the text goes on" if longer else ""
        reason = as_object(response.body.get("incomplete_details")).get("reason")
        expect(
            response.status == "incomplete" and reason == "max_output_tokens",
            expected=f"incomplete, by max_output_tokens{why}",
            got=f"{shown(response.status)}, {shown(response.body.get('incomplete_details'))}",
            at=f"{exchange.id} {response.at}/status",
            event=response.event,
        )
        judged += 1
    if not judged:
        raise NotApplicable("no response is known to have been cut by its maximum")


def _filled(exchange: Exchange) -> Told | None:
    """The response when it used its maximum for words."""
    try:
        response = told_by(exchange)
        written = counted(response, "output_tokens")
    except Inconclusive:
        return None
    reason = as_object(response.body.get("incomplete_details")).get("reason")
    is_over = response.status in ("completed", "incomplete", None) and reason in (None, "max_output_tokens")
    return response if is_over and written >= (_cap(exchange) or written + 1) and text_of(response) else None


def _goes_on(short: Told, exchange: Exchange, other: Exchange) -> bool:
    if exchange.request.asked.get("input") != other.request.asked.get("input"):
        return False
    try:
        text, longer = text_of(short), text_of(told_by(other))
    except Inconclusive:
        return False
    return bool(text.strip()) and len(longer) > len(text) and longer.startswith(text)


# ------------------------------------------------------------------------------- what reached the model


def _expect_same(exchange: Exchange, wanted: int, why: str) -> None:
    response = ended(exchange)
    got = counted(response, "input_tokens")
    response.must(got == wanted, "/usage/input_tokens", expected=f"{wanted} input tokens, {why}", got=got)


def _expect_more(less: Exchange, more: Exchange, what: str, by: int = 0) -> None:
    least, response = input_tokens(less) + by, ended(more)
    got = counted(response, "input_tokens")
    response.must(got > least, "/usage/input_tokens", expected=f"more than {least} input tokens, {what}", got=got)


# A template may put a blank around a part; a list printed as text costs more.
SLACK_TOKENS = 2


@clause(
    "responses.reach.items",
    level="MUST",
    source="SPEC CreateResponse.input: a string is a text input of role user; type null of optional parameters",
    on=together("responses.plain", "responses.items"),
)
def an_item_is_the_text(plain: Exchange, items: Exchange) -> None:
    """A message of role user with one `input_text` costs what the same string costs as `input`.

    Optional parameters that are null beside it count as absent.
    """
    wanted, response = input_tokens(plain), ended(items)
    got = counted(response, "input_tokens")
    held = abs(got - wanted) <= SLACK_TOKENS
    response.must(
        held, "/usage/input_tokens", expected=f"{wanted} input tokens, as for the string without null fields", got=got
    )


@clause(
    "responses.reach.instructions",
    level="MUST",
    source="SPEC CreateResponse.instructions",
    on=together("responses.plain", "responses.settings"),
    fields=("instructions",),
)
def instructions_reach_the_model(plain: Exchange, settings: Exchange) -> None:
    """`instructions` add to `input_tokens`."""
    # The input differs as well, by a few words: what is added must be of the length of the instructions.
    words = len(as_text(settings.request.asked.get("instructions")).split())
    _expect_more(plain, settings, "with instructions", words // 2)


@clause(
    "responses.reach.tools",
    level="MUST",
    source="DOCS-0715 function-calling: functions count as input tokens",
    on=together("responses.tools.named", "responses.tools.required"),
    fields=("tools",),
)
def tools_reach_the_model(one: Exchange, two: Exchange) -> None:
    """One more declared function adds to `input_tokens`."""
    if not (has_tools(one.request.asked) and has_tools(two.request.asked)):
        raise NotApplicable("tools are refused, and were left out")
    _expect_more(one, two, "with one function more")


@clause(
    "responses.reach.image",
    level="MUST",
    source="SPEC InputImageContent",
    on=together("responses.items", "responses.image", status="any"),
    fields=("input",),
)
def images_reach_the_model(items: Exchange, image: Exchange) -> None:
    """An `input_image` adds to `input_tokens`, or the request is refused; it is never dropped in silence."""
    if items.status != 200:
        raise NotApplicable(f"responses.items was answered {items.status}")
    if image.status in OTHER_TROUBLE:
        raise Inconclusive(f"{image.id} was answered {image.status}")
    if image.status != 200:
        raise NotApplicable(f"images are refused: {image.status} {error_of(image).get('message', '')}")
    _expect_more(items, image, "with an image more")


@clause(
    "responses.count",
    level="MUST",
    source="SPEC countInputTokens",
    on=together("responses.settings", "responses.count"),
)
def the_count_is_what_it_costs(settings: Exchange, count: Exchange) -> None:
    """`POST /responses/input_tokens` counts what the usage of the same request counts as `input_tokens`, with its
    instructions.
    """
    body: dict[str, Any] = maybe_object(count)
    wanted = input_tokens(settings)
    expect(
        body.get("object") == "response.input_tokens",
        expected='"response.input_tokens"',
        got=told(body, "object"),
        at="/object",
    )
    expect(body.get("input_tokens") == wanted, expected=f"{wanted}", got=told(body, "input_tokens"), at="/input_tokens")
