"""The list of models asked for again: it stays as it is, and whatever it names can be looked up.

Most of what is wrong with lists shows in one request; a time that runs, models that come and go with the replica that
answers, and names that paths are bad at show in the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, unquote

from wireproof.clause import (
    NO_MODEL,
    Call,
    Exchange,
    Flow,
    NotApplicable,
    answered,
    clause,
    expect,
    flow,
    needing,
    sequence,
    steps,
)

from ._media import is_ok
from ._reading import as_count, as_objects, as_text, maybe_object

# As much as a clock of seconds needs to be seen running.
AFTER_S = 2.0
# How far the clock of a server may be off.
CLOCKS_APART_S = 60.0
# Letters of a path by themselves: the official SDKs encode ids the same way.
PATH_SAFE = "!$&'()*+,;=:@"


def cards_of(exchange: Exchange) -> dict[str, dict[str, Any]]:
    """The models of a list by their ids."""
    rows = as_objects(maybe_object(exchange).get("data"))
    return {id: row for row in rows if (id := as_text(row.get("id")))}


@flow("models.again", most=2, about="the list again, and the oddest name of it", needs=NO_MODEL, expects="either")
def the_list_again() -> Flow:
    listed = yield Call("GET", "/models", after_s=AFTER_S)
    if is_ok(listed) and (names := list(cards_of(listed))):
        yield Call("GET", f"/models/{quote(oddest(names), safe=PATH_SAFE)}")


def oddest(names: Sequence[str]) -> str:
    """A name that a path may break at, else the last one."""
    return next((name for name in names if set(name) & set("/ #?%")), names[-1])


LISTS = needing(sequence(answered("listModels")), "clock", "sequence")


@clause("models.stable", level="SHOULD", source="SPEC listModels: the currently available models", on=LISTS)
def the_list_stays_as_it_is(exchanges: Sequence[Exchange]) -> None:
    """A list that is asked for again names the same models.

    Where replicas that serve different models answer in turn, every other request is for a model that is not there.
    One that was made since, as a tuned one is by the end of its job, is no surprise.
    """
    first, *more = _lists(exchanges)
    known = set(cards_of(first))
    for exchange in more:
        cards = cards_of(exchange)
        gone = sorted(known - set(cards))
        new = sorted(id for id in cards if id not in known and not _is_made_since(cards[id], first))
        said = "; ".join(f"{what} {', '.join(some[:3])}" for what, some in (("without", gone), ("with", new)) if some)
        expect(not said, expected=f"the {len(known)} models of {first.id}", got=said, at=f"{exchange.id} /data")


def _is_made_since(card: dict[str, Any], first: Exchange) -> bool:
    made = as_count(card.get("created"))
    return made is not None and made >= first.started_unix - CLOCKS_APART_S


@clause("models.created-stable", level="SHOULD", source="SPEC Model.created: when the model was created", on=LISTS)
def created_does_not_run(exchanges: Sequence[Exchange]) -> None:
    """The `created` and `owned_by` of a model are the same the next time: not the time of the answer."""
    first, *more = _lists(exchanges)
    known = cards_of(first)
    for exchange in more:
        for id, card in cards_of(exchange).items():
            for name in ("created", "owned_by"):
                before, after = known.get(id, card).get(name), card.get(name)
                expected = f"{before!r} of {id}, as in {first.id}"
                expect(after == before, expected=expected, got=after, at=f"{exchange.id} /data/{name}")


def _lists(exchanges: Sequence[Exchange]) -> list[Exchange]:
    """Lists that name some models each, at least two."""
    found = [exchange for exchange in exchanges if cards_of(exchange)]
    if len(found) < 2:
        raise NotApplicable("the list was not read twice")
    return found


@clause("models.listed-found", level="MUST", source="SPEC retrieveModel, Model.id", on=steps("models.again"))
def any_listed_model_is_found(exchanges: Sequence[Exchange]) -> None:
    """Where models can be looked up, any name of the list is found, also one that a path must encode.

    An id with a slash is sent as `%2F`: a router that decodes it before it looks finds no such route.
    """
    lookup = next((exchange for exchange in exchanges if exchange.operation == "retrieveModel"), None)
    if lookup is None or lookup.status in (405, 501):
        raise NotApplicable("models are not looked up one by one")
    if lookup.status is None or lookup.status in (401, 403, 429) or lookup.status >= 502:
        raise NotApplicable(f"the lookup was answered {lookup.status}")
    name = unquote(lookup.request.path.removeprefix("/models/"))
    expect(lookup.status == 200, expected=f"200 with the model {name}, which the list names",
           got=f"status {lookup.status}", at=f"{lookup.id} ")  # fmt: skip
    got = maybe_object(lookup).get("id")
    expect(got == name, expected=name, got=got, at=f"{lookup.id} /id")
