"""Graders tried by hand: is it one, and what does it give."""

from __future__ import annotations

from wireproof.standin.call import Call
from wireproof.standin.grading.checks import check_grader
from wireproof.standin.grading.graders import NO_ERRORS, graded
from wireproof.standin.grading.templates import sample_of
from wireproof.standin.inner import asking
from wireproof.standin.serving import serves
from wireproof.standin.wire import Answer, json_answer
from wireproof.standin.world import World

# What a grader took is not measured: the same request has the same answer.
EXECUTION_S = 0.001


@serves("validateGrader")
def validate(world: World, call: Call) -> Answer:
    check_grader(call.body["grader"], "grader", world.models)
    return json_answer({"grader": call.body["grader"]})


@serves("runGrader")
def run(world: World, call: Call) -> Answer:
    grader = call.body["grader"]
    check_grader(grader, "grader", world.models)
    names = {"item": call.body.get("item") or {}, "sample": sample_of(call.body["model_sample"])}
    found = graded(grader, names, asking(world, call.key))
    return json_answer(
        {
            "reward": found.score,
            "metadata": {
                "name": grader["name"],
                "type": grader["type"],
                "errors": {**NO_ERRORS, **found.errors},
                "execution_time": EXECUTION_S,
                "scores": found.scores or {grader["name"]: found.score},
                "token_usage": sum(found.tokens.values()) if found.tokens else None,
                "sampled_model_name": next(iter(found.tokens), None),
            },
            "sub_rewards": found.scores,
            "model_grader_token_usage_per_model": found.tokens,
        }
    )
