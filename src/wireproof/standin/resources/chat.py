"""Chat completions, plain and streamed; `store: true` keeps them."""

from __future__ import annotations

from wireproof.standin import chat, chat_stream
from wireproof.standin.call import Call
from wireproof.standin.catalogue import Model, model_for
from wireproof.standin.conversation import PromptTokens, prompt_pieces, prompt_tokens
from wireproof.standin.metered import limited
from wireproof.standin.prompt_cache import LEAST_TOKENS
from wireproof.standin.resources.stored import keep
from wireproof.standin.semantics import check_chat, expected_chat_tokens
from wireproof.standin.serving import serves
from wireproof.standin.wire import EVENT_STREAM, Answer, json_answer
from wireproof.standin.world import World


@serves("createChatCompletion")
def create(world: World, call: Call) -> Answer:
    model = model_for(world.models, call.body["model"], "chat")
    return limited(
        world,
        call,
        model,
        check=lambda: check_chat(call.body, model),
        tokens=lambda: expected_chat_tokens(call.body),
        answer=lambda: _answer(world, call, model),
    )


def _answer(world: World, call: Call, model: Model) -> Answer:
    body, latency = call.body, world.setup.latency
    prompt = prompt_tokens(body)
    cached = _cached_tokens(world, call, model, prompt)
    turn = chat.Turn(model, call.serial, int(call.now), latency, prompt, cached)
    said = chat.choices(body, turn)
    if body.get("store"):
        keep(world, chat.completion(body, said, turn), body)
    if body.get("stream"):
        return Answer(200, EVENT_STREAM, frames=chat_stream.frames(body, said, turn))
    tokens = max(one.token_count for one in said)
    return json_answer(chat.completion(body, said, turn), delay_ms=latency.whole_ms(tokens, call.serial))


def _cached_tokens(world: World, call: Call, model: Model, prompt: PromptTokens) -> int:
    if prompt.total < LEAST_TOKENS:
        return 0
    owner = f"{call.key}/{model.snapshot}/{call.body.get('prompt_cache_key')}"
    return min(world.prompt_cache.cached_tokens(owner, prompt_pieces(call.body)), prompt.total)
