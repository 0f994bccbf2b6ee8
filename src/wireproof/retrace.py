"""A step of a flow asked again: first the steps that led up to it, so that what it speaks of is there.

Fresh ids come by themselves, for a flow makes its calls from the answers. Only the body of the step itself is another;
what stands in it is taken from the flow's own call, so that no id of the recorded run is sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from wireproof.again import NotSent, call_of
from wireproof.clause import Call, Exchange, Flow, Probe, load_spec
from wireproof.fetch import Target
from wireproof.plan import Budget, Cost, Models, Plan, call_cost
from wireproof.record import Recorded, RecordEvent, Unsent, record
from wireproof.sampling import MARK
from wireproof.shrinking import Path, at
from wireproof.spending import has_room, left_of


@dataclass(frozen=True)
class Trail:
    """A flow as it was recorded, by step, and the step that is to be asked again."""

    probe: Probe
    recorded: Mapping[int, Exchange]
    step: int
    models: Models

    @property
    def needs(self) -> Cost:
        """What one attempt costs at most: the step, and all before it."""
        return self._cost(step for step in self.recorded if step <= self.step)

    def after(self, step: int) -> Cost:
        """What the flow costs at most from there to its end, if it ends as it did."""
        return self._cost(later for later in self.recorded if later > step)

    def _cost(self, steps: Iterable[int]) -> Cost:
        spec = load_spec()
        calls = (call_of(self.recorded[step]) for step in steps)
        return sum((call_cost(spec, call, self.probe.expects) for call in calls), Cost())


@dataclass(frozen=True)
class Walk:
    """What came of one attempt. `astray` tells where the flow left its trail, `unsent` why it was not gone to the step.

    `left_behind` are the paths of what it made and did not delete.
    """

    exchanges: Sequence[Exchange]
    answer: Exchange | None
    spent: Cost
    astray: str = ""
    unsent: str = ""
    left_behind: tuple[str, ...] = ()


def trail_to(exchange: Exchange, others: Iterable[Exchange], probes: Iterable[Probe], models: Models) -> Trail | None:
    """The way to this exchange; None when its flow is none of `probes`."""
    name = exchange.probe.partition(MARK)[0]
    probe = next((one for one in probes if one.id == name), None)
    if probe is None:
        return None
    recorded = {one.step: one for one in others if one.probe == exchange.probe}
    return Trail(replace(probe, id=exchange.probe), recorded, exchange.step, models)


def walk(trail: Trail, target: Target, body: Any, budget: Budget, **recorder: Any) -> Walk:
    """The flow up to its step with this `body` (of `leaves`; None: its own), and on to its end if the budget has room.

    Raises NotSent, Unreachable or KeyRefused. `recorder` are further arguments of `record`: a transport, clocks.
    """
    spec = load_spec()
    heard: list[RecordEvent] = []
    strays: list[str] = []

    def run() -> Flow:
        flow = trail.probe.run()
        call = next(flow, None)
        step = 0
        while call is not None:
            if not strays and (why := _otherwise(trail, step, call)):
                strays.append(why)
            if step == trail.step and not strays and body is not None:
                call = replace(call, body=filled(body, call.body))
            answer = yield call
            if step < trail.step and not strays and (why := _answered_otherwise(trail.recorded[step], answer)):
                strays.append(why)
            if (strays or step >= trail.step) and not has_room(left_of(budget, _spent(heard)), trail.after(step)):
                return
            call = _sent_on(flow, answer)
            step += 1
        if step <= trail.step and not strays:
            strays.append(f"at step {step} the flow ended, where {_told(trail, step)} was recorded")

    plan = Plan((replace(trail.probe, run=run),), {}, trail.models)
    spent = asyncio.run(record(plan, target, spec, heard.append, budget=budget, **recorder))
    exchanges = [event.exchange for event in heard if isinstance(event, Recorded)]
    unsent = next((event.reason for event in heard if isinstance(event, Unsent)), "")
    if not exchanges and not strays:
        raise NotSent(unsent or "nothing was sent")
    if exchanges and exchanges[-1].step == 0 and (lost := exchanges[-1].trouble) and exchanges[-1].status is None:
        raise NotSent(lost.detail)
    steps = {one.step: one for one in exchanges}
    answer = None if strays else steps.get(trail.step)
    return Walk(
        exchanges,
        answer,
        spent,
        strays[0] if strays else "",
        "" if strays or answer else unsent or f"step {trail.step} was not reached",
        left_behind(exchanges),
    )


def in_place(others: Sequence[Exchange], walked: Sequence[Exchange]) -> list[Exchange]:
    """All exchanges of a run, those of the flow being the ones of the walk."""
    name = walked[0].probe
    place = next((number for number, one in enumerate(others) if one.probe == name), len(others))
    rest = [one for one in others[place:] if one.probe != name]
    return [*others[:place], *walked, *rest]


def left_behind(exchanges: Iterable[Exchange]) -> tuple[str, ...]:
    """The paths of things that were made, can be deleted, and were not; what is kept inside another goes with it."""
    spec = load_spec()
    made: list[str] = []
    gone: set[str] = set()
    for one in exchanges:
        if one.status is None or one.status >= 300:
            continue
        if one.request.method == "DELETE":
            gone.add(one.request.path)
        path = f"{one.request.path}/{_id_in(one)}"
        if one.request.method == "POST" and _is_kept(one) and spec.operation_for("DELETE", path):
            made.append(path)
    parents = [f"{path}/" for path in (*made, *gone)]
    return tuple(path for path in made if path not in gone and not path.startswith(tuple(parents)))


# ---------------------------------------------------------------------------------------------- bodies


@dataclass(frozen=True, slots=True)
class Leaf:
    """Whatever stands at a place of the flow's own body; as it was recorded, where that has no such place."""

    place: Path
    recorded: Any


def leaves(body: Any, place: Path = ()) -> Any:
    """A JSON body with its values left open, to be made smaller as one; None for a body that is no object or list."""
    if isinstance(body, dict):
        return {name: _leaf(value, (*place, name)) for name, value in body.items()}
    return [_leaf(item, (*place, number)) for number, item in enumerate(body)] if isinstance(body, list) else None


def _leaf(value: Any, place: Path) -> Any:
    return leaves(value, place) if isinstance(value, dict | list) else Leaf(place, value)


def filled(body: Any, own: Any) -> Any:
    """The body with the values of the flow's `own`."""
    if isinstance(body, dict):
        return {name: filled(value, own) for name, value in body.items()}
    if isinstance(body, list):
        return [filled(item, own) for item in body]
    try:
        return at(own, body.place)
    except (KeyError, IndexError, TypeError):
        return body.recorded


# ---------------------------------------------------------------------------------------------- the way


def _spent(heard: Sequence[RecordEvent]) -> Cost:
    return next((event.spent for event in reversed(heard) if isinstance(event, Recorded)), Cost())


def _sent_on(flow: Flow, answer: Exchange) -> Call | None:
    try:
        return flow.send(answer)
    except StopIteration:
        return None


def _otherwise(trail: Trail, step: int, call: Call) -> str:
    """That the flow asks something else than it did, "" when not; what comes after the step does not matter."""
    first = trail.recorded.get(step)
    if step > trail.step or (first is not None and _asks(first.request.method, first.request.path) == _asks_of(call)):
        return ""
    return f"at step {step} the flow asks {call.method} {call.path}, where {_told(trail, step)} was recorded"


def _answered_otherwise(first: Exchange, answer: Exchange) -> str:
    """That an earlier step is served no more, "" when it is."""
    if not _is_served(first) or _is_served(answer):
        return ""
    got = f"answered {answer.status}" if answer.status else answer.trouble.detail if answer.trouble else "not answered"
    asked = f"{answer.request.method} {answer.request.path}"
    return f"step {answer.step} ({asked}) was {got}, where {first.status} was recorded"


def _is_served(exchange: Exchange) -> bool:
    return exchange.status is not None and exchange.status < 300


def _asks_of(call: Call) -> str:
    return _asks(call.method, call.path)


def _asks(method: str, path: str) -> str:
    """The operation: ids and models in a path differ from run to run."""
    operation = load_spec().operation_for(method, path)
    return operation.id if operation else method


def _told(trail: Trail, step: int) -> str:
    first = trail.recorded.get(step)
    return f"{first.request.method} {first.request.path}" if first else "nothing"


def _id_in(exchange: Exchange) -> str:
    """The id in an answer, "" when there is none."""
    try:
        body = exchange.json
    except ValueError:
        return ""
    id = body.get("id") if isinstance(body, dict) else None
    return id if isinstance(id, str) else ""


def _is_kept(exchange: Exchange) -> bool:
    """Whether an answer is of a thing that stays: not where `store` says no, or is not asked and means no."""
    operation = load_spec().operations.get(exchange.operation or "")
    schema = operation.request_schema.resolved if operation and operation.request_schema else {}
    unasked = schema.get("properties", {}).get("store", {}).get("default", True)
    return bool(_id_in(exchange)) and exchange.request.asked.get("store", unasked) is not False
