"""POST /v1/completions: text goes on after a prompt. Plain and streamed have the same shape."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wireproof.standin import prose
from wireproof.standin.catalogue import Model
from wireproof.standin.chat import Turn, banned_words, ended, meaning_of
from wireproof.standin.events import EventWriter
from wireproof.standin.logprobs import ranked
from wireproof.standin.refusals import invalid
from wireproof.standin.semantics import check_extensions, check_stream_options
from wireproof.standin.tokens import count, estimate, joined, tokenized
from wireproof.standin.wire import DONE, Frame

DEFAULT_MAX_TOKENS = 16
# What stands for "no prompt at all": a new document. Source: API reference.
NEW_DOCUMENT = "<|endoftext|>"


@dataclass(frozen=True, slots=True)
class Written:
    """One choice: the prompt it repeats (with `echo`), the text it adds, why it ended."""

    echoed: tuple[str, ...]
    tokens: tuple[str, ...]
    finish: str
    meaning: str

    @property
    def text(self) -> str:
        return joined(self.echoed) + joined(self.tokens)


def prompts(body: Mapping[str, Any]) -> list[str]:
    """The prompts of a request as text; token ids become the words `prose.spelled` makes of them."""
    asked = body.get("prompt")
    if asked is None:
        return [NEW_DOCUMENT]
    if isinstance(asked, str):
        return [asked]
    if asked and isinstance(asked[0], int):
        return [prose.spelled(asked)]
    return [one if isinstance(one, str) else prose.spelled(one) for one in asked]


def prompt_tokens(body: Mapping[str, Any]) -> int:
    asked = body.get("prompt")
    if isinstance(asked, list) and asked and isinstance(asked[0], int):
        return len(asked)
    if isinstance(asked, list):
        return sum(count(one) if isinstance(one, str) else len(one) for one in asked)
    return sum(map(count, prompts(body)))


def expected_tokens(body: Mapping[str, Any]) -> int:
    """What a limiter expects before counting."""
    return estimate(sum(map(len, prompts(body))))


def most_tokens(body: Mapping[str, Any]) -> int:
    asked = body.get("max_tokens")
    return DEFAULT_MAX_TOKENS if asked is None else int(asked)


def check(body: Mapping[str, Any], model: Model) -> None:
    check_stream_options(body)
    check_extensions(body)
    if body.get("prompt") == []:
        raise invalid("Invalid 'prompt': empty array. Expected an array with minimum length 1, but got an empty array "
                      "instead.", "prompt", "empty_array")  # fmt: skip
    best_of, n = body.get("best_of"), body.get("n") or 1
    if best_of is not None and best_of < n:
        raise invalid("You requested that the server return more choices than it will generate (HINT: best_of must "
                      "be >= n).", "best_of")  # fmt: skip
    if best_of is not None and best_of > 1 and body.get("stream"):
        raise invalid("You cannot stream results when 'best_of' is greater than 1.", "best_of")
    needed = prompt_tokens(body) + most_tokens(body)
    if needed > model.context_window:
        raise invalid(
            f"This model's maximum context length is {model.context_window} tokens, however you requested {needed} "
            f"tokens ({prompt_tokens(body)} in your prompt; {most_tokens(body)} for the completion). Please reduce "
            "your prompt or completion length.",
            "prompt",
            "context_length_exceeded",
        )


def choices(body: Mapping[str, Any]) -> list[Written]:
    """`n` for each prompt, those of the first prompt first."""
    shared = meaning_of({key: value for key, value in body.items() if key != "prompt"})
    return [
        _choice(body, prompt, f"{number}:{prompt}:{shared}")
        for prompt in prompts(body)
        for number in range(body.get("n") or 1)
    ]


def _choice(body: Mapping[str, Any], prompt: str, meaning: str) -> Written:
    most = most_tokens(body) + 1  # one more than fits tells "length" from "stop"
    natural = prose.reply(prompt, meaning, most=most, banned=banned_words(body.get("logit_bias")))
    if natural and prose.told_words(prompt) is None:
        natural[0] = f" {natural[0]}"
    tokens, finish = ended(natural, body, most_tokens(body), meaning)
    return Written(tuple(tokenized(prompt)) if body.get("echo") else (), tokens, finish, meaning)


def usage(written: Sequence[Written], body: Mapping[str, Any]) -> dict[str, int]:
    """With `best_of`, the candidates not shown count as well: each as long as the choice that beat it."""
    shown = sum(len(one.tokens) for one in written)
    unseen = max(0, (body.get("best_of") or 1) - (body.get("n") or 1))
    completion = shown + unseen * sum(len(one.tokens) for one in written[:: body.get("n") or 1])
    prompt = prompt_tokens(body)
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def logprobs(written: Written, body: Mapping[str, Any]) -> dict[str, Any] | None:
    """Four lists, one row a token, echoed ones included; the first token of a prompt has no probability."""
    most = body.get("logprobs")
    if most is None:
        return None
    tokens = [*written.echoed, *written.tokens]
    rows = ranked(tokens, written.meaning, most)
    chosen: list[float | None] = [row[0][1] for row in rows]
    top: list[dict[str, float] | None] = [dict(row[:most]) for row in rows]
    if written.echoed:
        chosen[0] = top[0] = None
    offsets, offset = [], 0
    for token in tokens:
        offsets.append(offset)
        offset += len(token)
    return {
        "tokens": tokens,
        "token_logprobs": chosen,
        "top_logprobs": top if most else None,
        "text_offset": offsets,
    }


def _shared(turn: Turn) -> dict[str, Any]:
    return {
        "id": f"cmpl-{turn.serial}",
        "object": "text_completion",
        "created": turn.created,
        "model": turn.model.snapshot,
    }


def completion(body: Mapping[str, Any], written: Sequence[Written], turn: Turn) -> dict[str, Any]:
    """The whole `text_completion` object."""
    return {
        **_shared(turn),
        "choices": [
            {"text": one.text, "index": index, "logprobs": logprobs(one, body), "finish_reason": one.finish}
            for index, one in enumerate(written)
        ],
        "usage": usage(written, body),
    }


def frames(body: Mapping[str, Any], written: Sequence[Written], turn: Turn) -> list[Frame]:
    """One event a token, the choices in turn; an empty one with the finish reason for each; usage; `[DONE]`."""
    asks_usage = bool((body.get("stream_options") or {}).get("include_usage"))
    writer = EventWriter(_shared(turn), {"usage": None} if asks_usage else {})
    gaps = turn.latency.gaps(turn.serial)
    pieces = [list(_pieces(one, body)) for one in written]
    made: list[Frame] = []
    for at in range(max(map(len, pieces))):
        delay_ms = next(gaps)
        for index, one in enumerate(pieces):
            if at < len(one):
                made.append(writer.choice(delay_ms, _event(index, *one[at])))
                delay_ms = 0.0
            if at == len(one) - 1:
                made.append(writer.choice(0.0, _event(index, "", None, written[index].finish)))
    if asks_usage:
        made.append(writer.usage(usage(written, body)))
    return [*made, Frame(0.0, DONE)]


def _pieces(written: Written, body: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """`(text, logprobs)` of each event: the echoed prompt whole, then each token; one empty for an empty text."""
    whole = logprobs(written, body)
    start = len(written.echoed)
    if written.echoed or not written.tokens:
        yield joined(written.echoed), _rows(whole, 0, start)
    for at, token in enumerate(written.tokens, start):
        yield token, _rows(whole, at, at + 1)


def _rows(whole: Mapping[str, Any] | None, first: int, end: int) -> dict[str, Any] | None:
    return None if whole is None else {key: rows and rows[first:end] for key, rows in whole.items()}


def _event(index: int, text: str, rows: Mapping[str, Any] | None, finish: str | None = None) -> str:
    return (
        f'{{"text": {json.dumps(text, ensure_ascii=False)}, "index": {index}, '
        f'"logprobs": {json.dumps(rows)}, "finish_reason": {json.dumps(finish)}}}'
    )
