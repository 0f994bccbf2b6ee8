"""Legacy completions, streamed: chunks that belong together, finish once, close with the usage and make the text.

The requests are those of completions.py.
"""

from __future__ import annotations

from typing import Any

from wireproof.clause import Exchange, Inconclusive, NotApplicable, answered, clause, expect, sequence, shown

from ._asked import asks_usage, cut, stops
from ._completions import (
    FINISH_REASONS,
    SAME_PROMPT,
    TWICE,
    added_text,
    by_probe,
    choices_told,
    first_text,
    objects_told,
    tokens_told,
)
from ._noise import repeats
from ._reading import as_count, told

STREAM = answered("createCompletion", streamed=True)


@clause("completions.stream.same", level="MUST", source="SPEC CreateCompletionResponse; CAP-2510", on=STREAM)
def chunks_belong_together(exchange: Exchange) -> None:
    """All chunks of a stream carry the same `id`, `created` and `model`."""
    first: dict[str, Any] = {}
    for event, body in objects_told(exchange):
        for key in ("id", "created", "model"):
            known = first.setdefault(key, body.get(key))
            expect(body.get(key) == known, expected=shown(known), got=told(body, key), at=f"/{key}", event=event)


@clause(
    "completions.stream.finish", level="MUST", source="SPEC CreateCompletionResponse.choices.finish_reason", on=STREAM
)
def each_choice_finishes_once(exchange: Exchange) -> None:
    """Each choice has one chunk with a `finish_reason`, null or absent before; no text of it follows."""
    finished: set[str] = set()
    indices: set[str] = set()
    for event, at, choice in choices_told(exchange):
        index, reason = shown(choice.get("index")), choice.get("finish_reason")
        indices.add(index)
        expect(
            reason is None or (isinstance(reason, str) and reason in FINISH_REASONS),
            expected=f"null or one of {shown(FINISH_REASONS)}",
            got=shown(reason),
            at=f"{at}/finish_reason",
            event=event,
        )
        expect(
            index not in finished or (reason is None and not choice.get("text")),
            expected=f"nothing more of choice {index}, which had finished",
            got=shown(choice),
            at=at,
            event=event,
        )
        if reason is not None:
            finished.add(index)
    if not indices:
        raise Inconclusive("no chunk has a choice")
    expect(
        finished == indices,
        expected=f"a finish_reason for choice {', '.join(sorted(indices - finished))}",
        got="the end of the stream",
    )


WITH_USAGE = answered("createCompletion", streamed=True, asks=asks_usage)


@clause(
    "completions.stream.usage",
    level="MUST",
    source="SPEC ChatCompletionStreamOptions.include_usage",
    on=WITH_USAGE,
    fields=("stream_options",),
)
def usage_comes_last(exchange: Exchange) -> None:
    """With `include_usage` one last chunk with empty `choices` has the `usage`.

    Send it once all choices have finished, in a chunk of its own: clients read `choices[0]` of every other.
    """
    chunks = list(objects_told(exchange))
    event, last = chunks[-1]
    expect(
        isinstance(last.get("usage"), dict), expected="a last chunk with usage", got=told(last, "usage"), event=event
    )
    expect(last.get("choices") == [], expected="[]", got=told(last, "choices"), at="/choices", event=event)
    usage = last["usage"]
    counts = [as_count(usage.get(name)) for name in ("prompt_tokens", "completion_tokens", "total_tokens")]
    whole = [count for count in counts if count is not None]
    expect(
        len(whole) == 3 and whole[0] + whole[1] == whole[2] and whole[0] >= 1,
        expected="prompt_tokens + completion_tokens = total_tokens, whole numbers",
        got=shown(usage),
        at="/usage",
        event=event,
    )


@clause(
    "completions.stream.usage-once",
    level="SHOULD",
    source="SPEC ChatCompletionStreamOptions.include_usage: other chunks carry null",
    on=WITH_USAGE,
)
def usage_comes_once(exchange: Exchange) -> None:
    """With `include_usage` no chunk but the last has counts.

    Clients that add up what they see count twice.
    """
    told = [event for event, body in objects_told(exchange) if isinstance(body.get("usage"), dict)]
    expect(len(told) < 2, expected="usage in one chunk", got=f"in {len(told)}", at="/usage", event=(told or [None])[0])


@clause(
    "completions.stream.text",
    level="MUST",
    source="SPEC CreateCompletionRequest.stream",
    on=sequence(answered(probes=(*SAME_PROMPT, *TWICE))),
    model="some-output",
)
def the_pieces_make_the_text(exchanges: list[Exchange]) -> None:
    """The texts of the chunks put together are the text of the plain answer.

    Judged where the backend repeats itself at temperature 0.
    """
    found = by_probe(exchanges)
    if any(name not in found for name in SAME_PROMPT):
        raise NotApplicable("not all three of the same prompt were answered")
    plain, echoed, streamed = (found[name] for name in SAME_PROMPT)
    whole = first_text(plain)
    again = added_text(echoed)
    is_alike = again.strip() in (whole.strip(), (cut(whole, stops(echoed.request.asked)) or whole).strip())
    if not is_alike or not whole or repeats(exchanges) is False:
        raise NotApplicable("the backend does not repeat itself at temperature 0")
    counts = [tokens_told(exchange, "completion_tokens") for exchange in (plain, streamed)]
    if None not in counts and counts[0] != counts[1]:
        raise NotApplicable(f"the stream counts {counts[1]} tokens, not {counts[0]}: it is another answer")
    got = first_text(streamed)
    expect(got.strip() == whole.strip(), expected=shown(whole), got=shown(got), at=f"{streamed.id} /choices/0/text")
