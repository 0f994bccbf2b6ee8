"""What input would cost, and a long exchange in short."""

from __future__ import annotations

from functools import cache

from wireproof.standin.call import Call
from wireproof.standin.catalogue import Model
from wireproof.standin.metered import limited
from wireproof.standin.refusals import missing
from wireproof.standin.resources.responses.asked import Asked, check_asked, read
from wireproof.standin.resources.responses.compaction import SUMMARY_TOKENS, compacted, summary_of
from wireproof.standin.resources.responses.models import responding
from wireproof.standin.resources.responses.tools import check_tools
from wireproof.standin.serving import serves
from wireproof.standin.tokens import count
from wireproof.standin.wire import Answer, json_answer
from wireproof.standin.world import World


@serves("countInputTokens")
def count_input(world: World, call: Call) -> Answer:
    """The same count as in the usage of the response that is made of the same request."""
    if call.body.get("model") is not None:
        responding(world, call.body["model"])
    check_tools(call.body)
    return json_answer({"object": "response.input_tokens", "input_tokens": read(world, call).input_tokens})


@serves("compactResponse")
def compact(world: World, call: Call) -> Answer:
    if call.body["model"] is None:
        raise missing("model")
    model = responding(world, call.body["model"])
    asked = cache(lambda: read(world, call))

    def check() -> None:
        check_asked(call.body)
        asked()

    return limited(
        world,
        call,
        model,
        check=check,
        tokens=lambda: asked().input_tokens + SUMMARY_TOKENS,
        answer=lambda: _compacted(world, call, asked(), model),
    )


def _compacted(world: World, call: Call, asked: Asked, model: Model) -> Answer:
    item = compacted(asked.words, f"{model.snapshot}:{asked.messages}", call.id)
    output_tokens = count(summary_of(item))
    usage = {
        "input_tokens": asked.input_tokens,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": output_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": asked.input_tokens + output_tokens,
    }
    answer = {
        "id": call.id("resp_"),
        "object": "response.compaction",
        "created_at": int(call.now),
        "output": [item],
        "usage": usage,
    }
    return json_answer(answer, delay_ms=world.setup.latency.whole_ms(output_tokens, call.serial))
