"""Legacy completions, plain and streamed."""

from __future__ import annotations

from wireproof.standin import chat, legacy
from wireproof.standin.call import Call
from wireproof.standin.catalogue import Model, model_for
from wireproof.standin.conversation import PromptTokens
from wireproof.standin.metered import limited
from wireproof.standin.serving import serves
from wireproof.standin.wire import EVENT_STREAM, Answer, json_answer
from wireproof.standin.world import World


@serves("createCompletion")
def create(world: World, call: Call) -> Answer:
    body = call.body
    model = model_for(world.models, body["model"], "completion")
    return limited(
        world,
        call,
        model,
        check=lambda: legacy.check(body, model),
        tokens=lambda: max(legacy.most_tokens(body), legacy.expected_tokens(body)),
        answer=lambda: _answer(world, call, model),
    )


def _answer(world: World, call: Call, model: Model) -> Answer:
    body, latency = call.body, world.setup.latency
    prompt = PromptTokens(legacy.prompt_tokens(body), 0, 0)
    turn = chat.Turn(model, call.serial, int(call.now), latency, prompt)
    written = legacy.choices(body)
    if body.get("stream"):
        return Answer(200, EVENT_STREAM, frames=legacy.frames(body, written, turn))
    tokens = max(len(one.tokens) for one in written)
    return json_answer(legacy.completion(body, written, turn), delay_ms=latency.whole_ms(tokens, call.serial))
