"""POST /v1/chat/completions: what is said, and how it is told in one piece.

What is said depends on the meaning of a request alone, never on how it is delivered: plain or streamed, with
logprobs or without, cut by `max_tokens` or `stop`, the words are the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from typing import Any

from wireproof.standin import prose
from wireproof.standin.catalogue import Model
from wireproof.standin.conversation import PromptTokens, last_words
from wireproof.standin.latency import Latency
from wireproof.standin.logprobs import entry, ranked
from wireproof.standin.reasoning import thought_tokens
from wireproof.standin.structured import forced_json
from wireproof.standin.tokens import joined, tokenized
from wireproof.standin.toolcalls import ToolCall, calls, speaks_legacy

# Fields that change how an answer is delivered, priced or kept, not what it says.
DELIVERY = frozenset(
    prose.words(
        "stream stream_options n logprobs top_logprobs max_tokens max_completion_tokens stop user store metadata "
        "service_tier safety_identifier prompt_cache_key prompt_cache_retention prompt_cache_options ignore_eos "
        "min_tokens best_of echo prediction"
    )
)
VERBOSITY = {"low": 0.5, "medium": 1.0, "high": 2.0}
# Source: spec, ServiceTier: asking for fast answers priority; auto is whatever the project has.
SERVICE_TIER = {"auto": "default", "fast": "priority"}


@dataclass(frozen=True, slots=True)
class Turn:
    """What stands around one generation: who answers, under which ids, when, how fast, at what prompt price.

    `serial` is unique to the request; ids are made of it.
    """

    model: Model
    serial: str
    created: int
    latency: Latency
    prompt: PromptTokens
    cached_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Said:
    """One choice: words or tool calls, and why it ended. `meaning` seeds what is derived from it.

    `thought`: tokens of thinking before it.
    """

    tokens: tuple[str, ...]
    finish: str
    meaning: str
    calls: tuple[ToolCall, ...] = ()
    thought: int = 0

    @property
    def text(self) -> str:
        return joined(self.tokens)

    @property
    def token_count(self) -> int:
        """Thinking, and words or the arguments of the calls; the names of tools are free."""
        return self.thought + len(self.tokens) + sum(len(call.tokens) for call in self.calls)


def meaning_of(body: Mapping[str, Any]) -> str:
    return json.dumps({key: value for key, value in body.items() if key not in DELIVERY}, sort_keys=True)


def most_tokens(body: Mapping[str, Any]) -> int | None:
    """The smaller of `max_completion_tokens` and the deprecated `max_tokens`."""
    asked = [body[name] for name in ("max_completion_tokens", "max_tokens") if body.get(name) is not None]
    return min(asked, default=None)


def choices(body: Mapping[str, Any], turn: Turn) -> list[Said]:
    meaning = meaning_of(body)
    return [_choice(body, f"{index}:{meaning}", f"{turn.serial}{index}", turn.model)
            for index in range(body.get("n") or 1)]  # fmt: skip


def _choice(body: Mapping[str, Any], meaning: str, serial: str, model: Model) -> Said:
    asked = most_tokens(body)
    thought = thought_tokens(model, body.get("reasoning_effort"), meaning)
    if not thought:
        return _told(body, meaning, serial, asked, model)
    limit = asked or model.max_output_tokens
    if thought >= limit:
        return Said((), "length", meaning, thought=limit)
    return replace(_told(body, meaning, serial, limit - thought, model), thought=thought)


def _told(body: Mapping[str, Any], meaning: str, serial: str, asked: int | None, model: Model) -> Said:
    """What is shown of a choice, within `asked` tokens."""
    made = calls(body, meaning, serial)
    if made:
        return _called(made, asked, meaning)
    limit = asked or model.max_output_tokens
    forced = forced_json(body, meaning)
    only = forced_word(body.get("logit_bias"))
    if forced is not None:
        natural = tokenized(forced)
    elif only is not None:
        natural = [f" {only}"] * (limit + 1)
    else:
        natural = prose.reply(
            last_words(body["messages"]),
            meaning,
            most=limit + 1,  # one more than fits tells "length" from "stop"
            verbosity=VERBOSITY.get(body.get("verbosity") or "", 1.0),
            banned=banned_words(body.get("logit_bias")),
        )
    tokens, finish = ended(natural, body, limit, meaning)
    return Said(tokens, finish, meaning)


def ended(natural: list[str], body: Mapping[str, Any], limit: int, meaning: str) -> tuple[tuple[str, ...], str]:
    """Where an answer ends and why: by a stop sequence, at the limit, or of itself.

    `ignore_eos: true` goes on to the limit; `min_tokens` at least so far. Both are extensions of common servers.
    """
    least = limit if body.get("ignore_eos") else min(limit, body.get("min_tokens") or 0)
    if len(natural) < least:
        natural = [*natural, *islice(prose.sentences(prose.dice("more", meaning)), least - len(natural))]
    kept, finish = natural[:limit], "length" if len(natural) > limit else "stop"
    if body.get("ignore_eos"):
        finish = "length"
    text = joined(kept)
    stops = [body["stop"]] if isinstance(body.get("stop"), str) else body.get("stop") or ()
    ends = [at for at in (text.find(stop) for stop in stops if stop) if at >= 0]
    if ends:
        return tuple(tokenized(text[: min(ends)])), "stop"
    return tuple(kept), finish


def _called(made: Sequence[ToolCall], limit: int | None, meaning: str) -> Said:
    left = limit if limit is not None else sum(len(call.tokens) for call in made)
    kept = []
    for call in made:
        kept.append(ToolCall(call.id, call.tool, call.tokens[:left]))
        if len(call.tokens) > left:
            return Said((), "length", meaning, tuple(kept))
        left -= len(call.tokens)
    return Said((), "tool_calls", meaning, tuple(kept))


def banned_words(logit_bias: Mapping[str, int] | None) -> frozenset[str]:
    """Words whose token is biased to -100, "never". Token ids are those of `prose.spelled`."""
    words = prose.VOCABULARY
    return frozenset(words[int(token) % len(words)] for token, bias in (logit_bias or {}).items() if bias <= -100)


def forced_word(logit_bias: Mapping[str, int] | None) -> str | None:
    """The word whose token is biased to 100, "always": the first of several."""
    words = prose.VOCABULARY
    always = (words[int(token) % len(words)] for token, bias in (logit_bias or {}).items() if bias >= 100)
    return next(always, None)


def usage(said: Sequence[Said], turn: Turn, body: Mapping[str, Any]) -> dict[str, Any]:
    """Totals add up; details are parts of them. Rejected prediction tokens count as completion."""
    accepted, rejected = _predicted(said, body)
    completion = sum(one.token_count for one in said) + rejected
    return {
        "prompt_tokens": turn.prompt.total,
        "completion_tokens": completion,
        "total_tokens": turn.prompt.total + completion,
        "prompt_tokens_details": {"cached_tokens": turn.cached_tokens, "audio_tokens": turn.prompt.audio},
        "completion_tokens_details": {
            "reasoning_tokens": sum(one.thought for one in said),
            "audio_tokens": 0,
            "accepted_prediction_tokens": accepted,
            "rejected_prediction_tokens": rejected,
        },
    }


def _predicted(said: Sequence[Said], body: Mapping[str, Any]) -> tuple[int, int]:
    content = (body.get("prediction") or {}).get("content")
    if not content:
        return 0, 0
    predicted = tokenized(content if isinstance(content, str) else "".join(part["text"] for part in content))
    pairs = zip(predicted, said[0].tokens, strict=False)
    accepted = next((at for at, (guess, token) in enumerate(pairs) if guess != token), None)
    if accepted is None:
        accepted = min(len(predicted), len(said[0].tokens))
    return accepted, len(predicted) - accepted


def logprob_entries(said: Said, body: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """One entry a token; None when they were not asked for."""
    if not body.get("logprobs"):
        return None
    most = body.get("top_logprobs") or 0
    return [entry(rows, most) for rows in ranked(said.tokens, said.meaning, most)]


@lru_cache
def fingerprint(model: Model) -> str:
    return f"fp_{prose.dice('fingerprint', model.snapshot).getrandbits(40):010x}"


def service_tier(body: Mapping[str, Any]) -> str:
    asked = body.get("service_tier") or "auto"
    return SERVICE_TIER.get(asked, asked)


def completion(body: Mapping[str, Any], said: Sequence[Said], turn: Turn) -> dict[str, Any]:
    """The whole `chat.completion` object."""
    answer: dict[str, Any] = {
        "id": f"chatcmpl-{turn.serial}",
        "object": "chat.completion",
        "created": turn.created,
        "model": turn.model.snapshot,
        "choices": [_choice_json(index, one, body) for index, one in enumerate(said)],
        "usage": usage(said, turn, body),
        "service_tier": service_tier(body),
        "system_fingerprint": fingerprint(turn.model),
    }
    if body.get("metadata"):
        answer["metadata"] = body["metadata"]
    return answer


def _choice_json(index: int, said: Said, body: Mapping[str, Any]) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": None if said.calls else said.text, "refusal": None}
    finish = said.finish
    if said.calls and speaks_legacy(body):
        message["function_call"] = said.calls[0].json()["function"]
        finish = "function_call" if finish == "tool_calls" else finish
    elif said.calls:
        message["tool_calls"] = [call.json() for call in said.calls]
    message["annotations"] = []
    entries = logprob_entries(said, body)
    return {
        "index": index,
        "message": message,
        "logprobs": None if entries is None else {"content": None if said.calls else entries, "refusal": None},
        "finish_reason": finish,
    }
