"""Which field broke a request that asks for many things at once.

Such a request is cheap as long as it is served; when it fails, it says nothing of the ten features in it. Then it is
sent again with fewer of its optional fields: first with none, then halving, until the field is known at which it begins
to fail, and at last with that field alone. The search is a flow like any other: it stays within the budget, its answers
are in the journal, and its result is read off them. No clause is judged on them: nobody expects them to be whole.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass

from wireproof.clause import Call, Exchange, Flow, Probe
from wireproof.fields import ESSENTIAL
from wireproof.shrinking import CAPS
from wireproof.spec import Spec
from wireproof.wording import COMPANIONS

MARK = "!"  # at the end of a probe's id: `chat.everything!`
MOST_CALLS = 12  # of a run: two requests of ten fields each
# Not for a field: the key, the load, the way there, or no such operation at all.
OTHERWISE = frozenset({401, 403, 404, 405, 408, 429, 501, 502, 503, 504})
NEEDS = {**COMPANIONS, "stream_options": "stream"}


@dataclass(frozen=True, slots=True)
class Blame:
    """`field` is at fault, by itself or beside `others`; None when the request fails without any of its fields, too."""

    failed: Exchange
    field: str | None
    others: tuple[str, ...] = ()

    def __str__(self) -> str:
        told = self.failed
        said = told.trouble.detail if told.trouble else f"answered {told.status}"
        verb = "broke off" if told.trouble else "was refused"
        if self.field is None:
            return f"{told.probe} {verb} ({said}), and does so without its optional fields as well."
        beside = f" beside {', '.join(f'`{name}`' for name in self.others)}" if self.others else ""
        return f"{told.probe} {verb} because of `{self.field}`{beside} ({said})."


class Bisector:
    """Hears the answers of a run, and gives a search at a time for what failed in it: the largest request first.

    A request that holds a field found guilty before needs none.
    """

    def __init__(self, spec: Spec, probes: Iterable[Probe], exchanges: Iterable[Exchange] = ()) -> None:
        """`exchanges` are those of an earlier run."""
        self.spec = spec
        self.probes = [one for one in probes if one.expects == "answer" and one.most == 1 and one.first.auth == "key"]
        self.exchanges = list(exchanges)
        self.given: set[str] = set()

    def heard(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)

    def __call__(self) -> list[Probe]:
        found = blames(self.spec, self.exchanges)
        known = self.given | {blame.failed.probe for blame in found}
        guilty = {(blame.failed.operation, blame.field) for blame in found}
        last = {exchange.probe: exchange for exchange in self.exchanges}
        searches: list[tuple[int, Probe]] = []
        for probe in self.probes:
            failed = last.get(probe.id)
            if failed is None or probe.id in known or not fails(failed):
                continue
            suspects = suspects_in(self.spec, failed)
            if len(suspects) > 1 and not guilty & {(failed.operation, name) for name in suspects}:
                searches.append((len(suspects), _search_for(probe, failed, suspects)))
        if not searches:
            return []
        _, search = max(searches, key=lambda pair: pair[0])
        self.given.add(search.id.removesuffix(MARK))
        spent = sum(map(is_search, self.exchanges))
        return [search] if spent + search.most <= MOST_CALLS else []


def first_asked(exchanges: Iterable[Exchange]) -> list[Exchange]:
    """Without those that were sent for a search."""
    return [exchange for exchange in exchanges if not is_search(exchange)]


def is_search(exchange: Exchange) -> bool:
    return exchange.probe.endswith(MARK)


def blames(spec: Spec, exchanges: Sequence[Exchange]) -> list[Blame]:
    """What the searches of a run came to; those that did not come to their end are left out."""
    answers: dict[str, dict[int, Exchange]] = {}
    for exchange in exchanges:
        answers.setdefault(exchange.probe, {})[exchange.step] = exchange
    found = []
    for name in (probe for probe in answers if probe.endswith(MARK)):
        failed = answers.get(name.removesuffix(MARK), {}).get(0)
        if failed is not None and (blame := _replayed(failed, suspects_in(spec, failed), answers[name])):
            found.append(blame)
    return found


def fails(exchange: Exchange) -> bool:
    """Whether it is the target's answer to what was asked that is no answer."""
    if exchange.trouble is not None:
        return exchange.trouble.theirs
    return exchange.status is not None and exchange.status >= 400 and exchange.status not in OTHERWISE


def suspects_in(spec: Spec, exchange: Exchange) -> list[str]:
    """The fields that a request could do without, each after the one that it means nothing without."""
    operation = spec.operations.get(exchange.operation or "")
    schema = operation.request_schema if operation else None
    needed = {*(schema.resolved.get("required", ()) if schema else ()), *ESSENTIAL, *CAPS}
    names = [name for name in exchange.request.asked if name not in needed]
    places = {name: float(place) for place, name in enumerate(names)}
    return sorted(names, key=lambda name: places.get(NEEDS.get(name, ""), places[name] - 0.5) + 0.5)


def search(suspects: Sequence[str]) -> Generator[list[str], bool, tuple[str, ...] | None]:
    """Yields which suspects to leave in, and is sent whether that fails. All of them together fail.

    Returns the one at fault, and behind it those without which it is served; () when it fails without any.
    """
    if (yield []):
        return ()
    held, broken = 0, len(suspects)  # so many from the front are served, so many fail
    while broken - held > 1:
        middle = (held + broken) // 2
        if (yield list(suspects[:middle])):
            broken = middle
        else:
            held = middle
    guilty = suspects[held]
    alone = [name for name in suspects[:held] if name == NEEDS.get(guilty)] + [guilty]
    if held == len(alone) - 1 or (yield alone):
        return (guilty,)
    return (guilty, *suspects[:held])


def _asked(
    exchange: Exchange, suspects: Sequence[str], headers: Mapping[str, str]
) -> Generator[Call, Exchange, Blame | None]:
    request = exchange.request
    body = request.asked
    steps = search(suspects)
    kept = next(steps)
    while True:
        fewer = {name: value for name, value in body.items() if name in kept or name not in suspects}
        answer = yield Call(request.method, request.path, fewer, dict(request.query), headers)
        failing = fails(answer)
        if not failing and (answer.trouble or answer.status is None or answer.status >= 400):
            return None
        try:
            kept = steps.send(failing)
        except StopIteration as end:
            found = end.value
            return Blame(exchange, found[0] if found else None, tuple(found[1:]))


def _search_for(probe: Probe, failed: Exchange, suspects: Sequence[str]) -> Probe:
    def run() -> Flow:
        yield from _asked(failed, suspects, probe.first.headers)

    most = 2 + math.ceil(math.log2(len(suspects)))
    first = next(run())
    return Probe(f"{probe.id}{MARK}", f"which field of {probe.id} failed", run, first, "either", most, probe.needs)


def _replayed(failed: Exchange, suspects: Sequence[str], answers: Mapping[int, Exchange]) -> Blame | None:
    asking = _asked(failed, suspects, {})
    next(asking)
    try:
        for step in sorted(answers):
            asking.send(answers[step])
    except StopIteration as end:
        found: Blame | None = end.value
        return found
    return None
