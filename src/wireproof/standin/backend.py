"""The reference backend: a pure function of request, state and clock. No socket, no waiting.

On its way a request meets, in this order: its key, its route, its body, the schema, the model, the meaning,
the rate limit. So every refusal comes before any 200, also for a stream. What carries no rate-limit headers:
refusals before a model is known (recorded so), and routes that generate nothing.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import count as counter
from typing import Any
from urllib.parse import unquote

from wireproof import tiers
from wireproof.spec import load_spec
from wireproof.standin import chat, chat_stream, embeddings, legacy
from wireproof.standin.catalogue import (
    DEFAULT_MODEL,
    Model,
    delete_model,
    list_models,
    model_for,
    retrieve_model,
    served,
)
from wireproof.standin.conversation import PromptTokens, prompt_pieces, prompt_tokens
from wireproof.standin.door import check_client_id, key_of, no_method, no_route
from wireproof.standin.latency import Latency
from wireproof.standin.limiter import Limiter
from wireproof.standin.prompt_cache import LEAST_TOKENS, PromptCache
from wireproof.standin.refusals import Refused
from wireproof.standin.requests import body_of, check_schema
from wireproof.standin.semantics import check_chat, expected_chat_tokens
from wireproof.standin.stored import Shelf, Stored
from wireproof.standin.wire import Answer, Ask, Headers, json_answer
from wireproof.tiers import Limits

DEFAULT_KEY = "sk-standin"
# The highest published tier: limits that a test does not reach unless it means to.
DEFAULT_TIER = "tier-5"
EVENT_STREAM: Headers = (("content-type", "text/event-stream; charset=utf-8"), ("cache-control", "no-cache"))
STANDING: Headers = (
    ("openai-version", "2020-10-01"),
    ("openai-organization", "org-standin"),
    ("x-content-type-options", "nosniff"),
)


@dataclass(frozen=True)
class Setup:
    """What can be set about a backend. `models` are further names for the default chat model."""

    keys: tuple[str, ...] = (DEFAULT_KEY,)
    tier: str = DEFAULT_TIER
    scale: float = 1.0
    latency: Latency = field(default_factory=Latency)
    models: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """A path below `/v1` and what each method on it does."""

    parts: tuple[str, ...]
    methods: Mapping[str, Callable[..., Answer]]

    def match(self, parts: list[str]) -> list[str] | None:
        """The values of the `{}` parts; None when the path is another."""
        if len(parts) != len(self.parts):
            return None
        pairs = list(zip(self.parts, parts, strict=True))
        if any(own not in ("{}", given) or not given for own, given in pairs):
            return None
        return [unquote(given) for own, given in pairs if own == "{}"]


class Backend:
    """Remembers stored completions, prompt beginnings, rate-limit buckets, and how many requests there were.

    ValueError when the tier is unknown, or not to be had for the default model.
    """

    def __init__(
        self,
        setup: Setup | None = None,
        *,
        clock: Callable[[], float] = time.time,
        boot: str | None = None,
    ) -> None:
        setup = setup or Setup()
        self.setup = setup
        self.models, self._limits = granted(setup)
        self.shelf = Shelf()
        self._clock = clock
        self._boot = boot if boot is not None else str(time.time_ns())
        self._numbers = counter(1)
        self._limiter = Limiter()
        self._cache = PromptCache()

    def answer(self, ask: Ask) -> Answer:
        serial = self._serial()
        try:
            answer = self._routed(ask, serial)
        except Refused as refused:
            answer = refused.answer
        whole_ms = next(iter(answer.frames)).delay_ms if isinstance(answer.frames, list) else answer.delay_ms
        return replace(
            answer,
            headers=(
                *answer.headers,
                ("x-request-id", f"req_{serial}"),
                ("openai-processing-ms", str(max(1, round(whole_ms)))),
                *STANDING,
            ),
        )

    def reset(self) -> None:
        """Forgets everything but the setup: buckets are full again, nothing is stored or cached."""
        self.shelf.clear()
        self._limiter = Limiter()
        self._cache = PromptCache()

    def _serial(self) -> str:
        """Letters and digits unique to one request of one run, told apart by `boot`."""
        return hashlib.blake2b(f"{self._boot}/{next(self._numbers)}".encode(), digest_size=14).hexdigest()

    def _routed(self, ask: Ask, serial: str) -> Answer:
        key = key_of(ask, self.setup.keys)
        check_client_id(ask)
        parts = ask.path.split("/")[1:]
        for route in self._routes:
            values = route.match(parts)
            if values is not None:
                method = route.methods.get(ask.method)
                if method is None:
                    raise no_method(ask, route.methods)
                return method(_Errand(ask, key, serial), *values)
        raise no_route(ask)

    @cached_property
    def _routes(self) -> tuple[Route, ...]:
        return (
            Route(("v1", "chat", "completions"), {"POST": self._chat, "GET": lambda e: self.shelf.list(e.ask.query)}),
            Route(("v1", "embeddings"), {"POST": self._embeddings}),
            Route(("v1", "completions"), {"POST": self._legacy}),
            Route(("v1", "models"), {"GET": lambda _: list_models(self.models)}),
            Route(
                ("v1", "models", "{}"),
                {
                    "GET": lambda _, name: retrieve_model(self.models, name),
                    "DELETE": lambda _, name: delete_model(self.models, name),
                },
            ),
            Route(
                ("v1", "chat", "completions", "{}"),
                {
                    "GET": lambda _, id: self.shelf.get(id),
                    "POST": lambda e, id: self.shelf.update(id, _checked(e.ask, "updateChatCompletion")),
                    "DELETE": lambda _, id: self.shelf.delete(id),
                },
            ),
            Route(
                ("v1", "chat", "completions", "{}", "messages"),
                {"GET": lambda e, id: self.shelf.messages(id, e.ask.query)},
            ),
        )

    def _chat(self, errand: _Errand) -> Answer:
        body = _checked(errand.ask, "createChatCompletion")
        model = model_for(self.models, body["model"], "chat")
        return self._limited(errand, body, model, check_chat, expected_chat_tokens, self._chat_answer)

    def _chat_answer(self, errand: _Errand, body: dict[str, Any], model: Model) -> Answer:
        prompt = prompt_tokens(body)
        cached = 0
        if prompt.total >= LEAST_TOKENS:
            owner = f"{errand.key}/{model.snapshot}/{body.get('prompt_cache_key')}"
            cached = min(self._cache.cached_tokens(owner, prompt_pieces(body)), prompt.total)
        turn = chat.Turn(model, errand.serial, int(self._clock()), self.setup.latency, prompt, cached)
        said = chat.choices(body, turn)
        if body.get("store"):
            self.shelf.keep(Stored(chat.completion(body, said, turn), tuple(body["messages"]), body["model"]))
        if body.get("stream"):
            return Answer(200, EVENT_STREAM, frames=chat_stream.frames(body, said, turn))
        tokens = max(one.token_count for one in said)
        return json_answer(
            chat.completion(body, said, turn), delay_ms=self.setup.latency.whole_ms(tokens, errand.serial)
        )

    def _legacy(self, errand: _Errand) -> Answer:
        body = _checked(errand.ask, "createCompletion")
        model = model_for(self.models, body["model"], "completion")
        return self._limited(
            errand,
            body,
            model,
            legacy.check,
            lambda body: max(legacy.most_tokens(body), legacy.expected_tokens(body)),
            self._legacy_answer,
        )

    def _legacy_answer(self, errand: _Errand, body: dict[str, Any], model: Model) -> Answer:
        prompt = PromptTokens(legacy.prompt_tokens(body), 0, 0)
        turn = chat.Turn(model, errand.serial, int(self._clock()), self.setup.latency, prompt)
        written = legacy.choices(body)
        if body.get("stream"):
            return Answer(200, EVENT_STREAM, frames=legacy.frames(body, written, turn))
        tokens = max(len(one.tokens) for one in written)
        return json_answer(
            legacy.completion(body, written, turn), delay_ms=self.setup.latency.whole_ms(tokens, errand.serial)
        )

    def _embeddings(self, errand: _Errand) -> Answer:
        body = _checked(errand.ask, "createEmbedding")
        model = model_for(self.models, body["model"], "embedding")

        def answer(errand: _Errand, body: dict[str, Any], model: Model) -> Answer:
            return replace(embeddings.answer(body, model), delay_ms=self.setup.latency.whole_ms(1, errand.serial))

        return self._limited(errand, body, model, embeddings.check, embeddings.expected_tokens, answer)

    def _limited(
        self,
        errand: _Errand,
        body: dict[str, Any],
        model: Model,
        check: Callable[[dict[str, Any], Model], None],
        expected_tokens: Callable[[dict[str, Any]], int],
        answer: Callable[[_Errand, dict[str, Any], Model], Answer],
    ) -> Answer:
        """`answer` behind the rate limit. A request that `check` refuses still counts as one, without tokens."""
        refused: Refused | None = None
        try:
            check(body, model)
        except Refused as reason:
            refused = reason
        tokens = 0 if refused else expected_tokens(body)
        limits = self._limits[model.limits_as]
        decision = self._limiter.take(errand.key, limits, model.id, tokens, self._clock())
        if decision.rejection is not None:
            given = decision.rejection
        else:
            given = refused.answer if refused else answer(errand, body, model)
        return replace(given, headers=(*given.headers, *decision.headers))


@dataclass(frozen=True, slots=True)
class _Errand:
    ask: Ask
    key: str
    serial: str


def _checked(ask: Ask, operation_id: str) -> dict[str, Any]:
    body = body_of(ask.body)
    check_schema(load_spec().operations[operation_id], body)
    return body


def granted(setup: Setup) -> tuple[dict[str, Model], dict[str, Limits]]:
    """The models to be had at the tier, by name, and their limits, by `limits_as`.

    ValueError when the tier is unknown, or not to be had for the default model.
    """
    limits = {DEFAULT_MODEL: tiers.limits(setup.tier, DEFAULT_MODEL, setup.scale)}
    models = {}
    for name, model in served(setup.models).items():
        try:
            limits[model.limits_as] = tiers.limits(setup.tier, model.limits_as, setup.scale)
        except ValueError:
            continue
        models[name] = model
    return models, limits
