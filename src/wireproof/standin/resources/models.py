"""Which models there are."""

from __future__ import annotations

from wireproof.standin.call import Call
from wireproof.standin.catalogue import delete_model, list_models, retrieve_model
from wireproof.standin.serving import serves
from wireproof.standin.wire import Answer
from wireproof.standin.world import World


@serves("listModels")
def listed(world: World, call: Call) -> Answer:
    return list_models(world.models)


@serves("retrieveModel")
def one(world: World, call: Call) -> Answer:
    return retrieve_model(world.models, call.path["model"])


@serves("deleteModel")
def deleted(world: World, call: Call) -> Answer:
    return delete_model(world.models, call.path["model"])
