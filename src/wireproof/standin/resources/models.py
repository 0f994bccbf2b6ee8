"""Which models there are."""

from __future__ import annotations

from wireproof.standin import tuned
from wireproof.standin.call import Call
from wireproof.standin.catalogue import delete_model, list_models, retrieve_model
from wireproof.standin.serving import serves
from wireproof.standin.wire import Answer, json_answer
from wireproof.standin.world import World


@serves("listModels")
def listed(world: World, call: Call) -> Answer:
    return list_models(world.models)


@serves("retrieveModel")
def one(world: World, call: Call) -> Answer:
    return retrieve_model(world.models, call.path["model"])


@serves("deleteModel")
def deleted(world: World, call: Call) -> Answer:
    name = call.path["model"]
    if name in world.table(tuned.TABLE):
        tuned.remove(world, name)
        return json_answer({"id": name, "object": "model", "deleted": True})
    return delete_model(world.models, name)
