"""Embeddings."""

from __future__ import annotations

from dataclasses import replace

from wireproof.standin import embeddings
from wireproof.standin.call import Call
from wireproof.standin.catalogue import model_for
from wireproof.standin.metered import limited
from wireproof.standin.serving import serves
from wireproof.standin.wire import Answer
from wireproof.standin.world import World


@serves("createEmbedding")
def create(world: World, call: Call) -> Answer:
    body = call.body
    model = model_for(world.models, body["model"], "embedding")
    return limited(
        world,
        call,
        model,
        check=lambda: embeddings.check(body, model),
        tokens=lambda: embeddings.expected_tokens(body),
        answer=lambda: replace(embeddings.answer(body, model), delay_ms=world.setup.latency.whole_ms(1, call.serial)),
    )
