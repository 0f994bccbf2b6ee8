"""Recording: sends the probes of a plan and keeps what came back.

One gate bounds the requests in flight; Retry-After holds everybody back; the budget stops the run before the
request that would break it. What goes wrong on the wire becomes a `Trouble` of the exchange: judging is not
done here. A flow asks its next question after the answer before; on resume its old answers come from the
journal, and nothing is sent a second time.
"""

from __future__ import annotations

import asyncio
import secrets as randomness
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any

import httpx2

from wireproof import __version__
from wireproof.clause import Call, Exchange, Flow, Probe, Request
from wireproof.fetch import Bounds, KeyRefused, Target, Unreachable, Wire, is_local
from wireproof.heed import actual_cost, unsupported_field, wait_s
from wireproof.plan import CAPS, Budget, Cost, Plan, bind, call_cost, encoded
from wireproof.secrets import Secrets, cut, extended
from wireproof.spec import Spec

# httpx's pool costs grow with the connections that are open: 64 of them add 39 ms to a median first byte,
# 8 add nothing that could be measured (research on load clients, 2026-11).
GATE = 8
ATTEMPTS = 3
MOST_WAIT_S = 65.0  # a minute's window and a little; a longer wait is reported, not slept through
WRONG_KEY = "sk-wireproof-made-up-0000000000000000"

# Fields that a model may refuse by name, and what took their place.
SUCCESSORS = {"max_tokens": "max_completion_tokens"}
# What a model that thinks is given on top of its cap until something is seen: doubled, at most three times a run.
# Reasoning models spend 50 to 800 tokens on a greeting (recorded answers, 2025).
ROOMS = (256, 512, 1024)
# Fields that mean nothing, or are refused, without another.
COMPANIONS = {"top_logprobs": "logprobs", "tool_choice": "tools", "parallel_tool_calls": "tools"}
ESSENTIAL = frozenset({"model", "messages", "prompt", "input", "stream"})


class OverBudget(Exception):
    """The next request would break the budget; the message says which part of it."""


class FlowFailed(Exception):
    """A flow raised, or asked for what no client can send; the message says so."""


@dataclass(frozen=True, slots=True)
class Sent:
    probe: str
    step: int
    attempt: int


@dataclass(frozen=True, slots=True)
class Recorded:
    exchange: Exchange
    spent: Cost


@dataclass(frozen=True, slots=True)
class Waiting:
    """The target asked for patience: nothing is sent for `seconds`."""

    probe: str
    seconds: float
    status: int


@dataclass(frozen=True, slots=True)
class Unsent:
    probe: str
    reason: str


RecordEvent = Sent | Recorded | Waiting | Unsent
Listener = Callable[[RecordEvent], None]
Sleep = Callable[[float], Awaitable[None]]


async def record(
    plan: Plan,
    target: Target,
    spec: Spec,
    listen: Listener,
    *,
    already: Mapping[tuple[str, int], Exchange] | None = None,
    budget: Budget | None = None,
    bounds: Bounds | None = None,
    gate: int = GATE,
    transport: httpx2.AsyncBaseTransport | None = None,
    clock: Callable[[], float] = time.monotonic,
    wall: Callable[[], float] = time.time,
    sleep: Sleep = asyncio.sleep,
    more: Callable[[], Sequence[Probe]] = tuple,
) -> Cost:
    """Sends the plan, then what `more` gives until it gives nothing. Returns what was spent by this call.

    `listen` hears of everything as it happens.
    `already` are the last answers of an earlier run by (probe, step): they are used in place of sending, but
    for those after which another attempt was due. Raises Unreachable or KeyRefused when the first request,
    sent alone, finds nobody or a closed door; that answer is told to nobody.
    """
    bounds = bounds or Bounds()
    timeout = httpx2.Timeout(bounds.idle_s, connect=bounds.connect_s)
    limits = httpx2.Limits(max_connections=gate, max_keepalive_connections=gate)

    def fresh() -> httpx2.AsyncClient:
        return httpx2.AsyncClient(transport=transport, timeout=timeout, limits=limits, trust_env=not is_local(target))

    async with fresh() as client:
        recorder = _Recorder(
            plan, target, spec, listen, already or {}, budget or Budget(), bounds, client, fresh, clock, wall, sleep
        )
        unasked = [
            probe for probe in plan.probes if probe.expects == "answer" and (probe.id, 0) not in recorder.already
        ]
        canary = unasked[0] if unasked else None
        if canary is not None:
            await recorder.run(canary, is_canary=True)
        # What the first of these learns about the model spares the others a request each.
        scout = next((probe for probe in plan.probes if probe.ran_out and probe is not canary), None)
        if scout is not None:
            await recorder.run(scout)
        rest = [probe for probe in plan.probes if probe is not canary and probe is not scout]
        room = asyncio.Semaphore(gate)

        async def one(probe: Probe) -> None:
            async with room:
                await recorder.run(probe)

        while True:
            async with asyncio.TaskGroup() as group:
                for probe in rest:
                    group.create_task(one(probe))
            if not (rest := list(more())):
                return recorder.spent


class _Recorder:
    """What a run remembers between requests: the spend, and until when the target wants to be left alone."""

    def __init__(
        self,
        plan: Plan,
        target: Target,
        spec: Spec,
        listen: Listener,
        already: Mapping[tuple[str, int], Exchange],
        budget: Budget,
        bounds: Bounds,
        client: httpx2.AsyncClient,
        fresh: Callable[[], httpx2.AsyncClient],
        clock: Callable[[], float],
        wall: Callable[[], float],
        sleep: Sleep,
    ) -> None:
        self.plan, self.target, self.spec, self.listen = plan, target, spec, listen
        self.already, self.budget, self.bounds = already, budget, bounds
        self.client, self.fresh = client, fresh
        self.clock, self.wall, self.sleep = clock, wall, sleep
        self.spent = Cost()
        self.promised = Cost()  # estimates of the requests in flight
        self.unsupported: set[str] = set()  # fields that this model refused by name
        # Tokens that this model needs before its first word, as far as an earlier run has found out.
        given = [
            _cap(already[probe.id, 0].request.asked) - _cap(probe.first.body)
            for probe in plan.probes
            if probe.ran_out and (probe.id, 0) in already
        ]
        self.room = max([0, *given])
        # Held by the request that waits out a 429 and asks again; those that have not left stand behind it,
        # so that the wait is tried as told: by one request, before any other.
        self.patience = asyncio.Lock()
        self.secrets = Secrets.of(target.key)
        self.run_id = randomness.token_hex(4)

    async def run(self, probe: Probe, *, is_canary: bool = False) -> None:
        """One probe from its first question to its last."""
        flow = probe.run()
        try:
            call = _next(flow, None)
            for step in range(probe.most):
                if call is None:
                    return
                exchange = self.already.get((probe.id, step))
                if exchange is None or self._is_another_due(exchange):
                    if call.after_s:
                        await self._until(self.clock() + min(call.after_s, MOST_WAIT_S))
                    at_the_door = is_canary and step == 0
                    exchange = await self._ask(probe, step, bind(call, self.plan.models), exchange, at_the_door)
                call = _next(flow, exchange)
            if call is not None:
                self.listen(Unsent(probe.id, f"the flow asks for more than its {probe.most} requests"))
        except (OverBudget, FlowFailed) as reason:
            self.listen(Unsent(probe.id, str(reason)))
        finally:
            flow.close()

    def _reserve(self, estimate: Cost) -> None:
        """Promises the cost of a request before it leaves. Raises OverBudget, counting those in flight."""
        then = self.spent + self.promised + estimate
        for name, limit in (("calls", self.budget.calls), ("tokens", self.budget.tokens), ("usd", self.budget.usd)):
            wanted = getattr(then, name)
            if limit is not None and wanted is None:
                raise OverBudget(f"the budget is {name}={limit} and the model's price is unknown")
            if limit is not None and wanted > limit:
                raise OverBudget(f"the budget of {name}={limit} is spent")
        self.promised = self.promised + estimate

    def _is_another_due(self, exchange: Exchange) -> bool:
        """Whether the run that recorded this answer ended before it could ask again."""
        if exchange.trouble and exchange.trouble.kind in ("unreachable", "dropped"):
            return True
        wait = wait_s(exchange, exchange.attempt, self.wall())
        return wait is not None and wait <= MOST_WAIT_S and exchange.attempt < ATTEMPTS

    async def _ask(self, probe: Probe, step: int, call: Call, exchange: Exchange | None, at_the_door: bool) -> Exchange:
        """One question; again when the target says wait, and once when the connection was lost under it.

        A server may close an idle connection while the next request is on its way: that is no fault of its
        answer. So a lost connection counts only when a new one is lost as well. Every attempt is recorded;
        `exchange` is the last one of an earlier run.
        """
        first = exchange.attempt + 1 if exchange else 1
        last = max(ATTEMPTS, first)
        attempt = first - 1
        is_scout = False
        async with AsyncExitStack() as turn:
            while attempt < last:
                attempt += 1
                call = self._in_their_words(call, probe)
                asking, room = self._with_room(call, probe), self.room
                estimate = call_cost(self.spec, asking, probe.expects)
                leaving, kept = self._request(probe, step, attempt, asking)
                try:
                    self._reserve(estimate)
                except OverBudget:
                    if exchange is None:
                        raise
                    return exchange
                try:
                    if attempt == first:
                        async with self.patience:
                            pass
                    self.listen(Sent(probe.id, step, attempt))
                    lost_before = bool(exchange and exchange.trouble and exchange.trouble.kind == "dropped")
                    exchange = await self._send(probe, step, attempt, leaving, kept, is_last=lost_before)
                finally:
                    self.promised = _minus(self.promised, estimate)
                if at_the_door:
                    _check_the_door(exchange)
                self.spent = self.spent + actual_cost(self.spec, exchange, estimate)
                self.listen(Recorded(exchange, self.spent))
                if exchange.trouble and exchange.trouble.kind == "dropped":
                    continue
                if probe.expects == "answer" and self._learned_from(exchange, call):
                    last += 1
                    continue
                if self._made_room(exchange, probe, asking, room):
                    last += 1
                    continue
                wait = wait_s(exchange, attempt, self.wall())
                if wait is None or wait > MOST_WAIT_S or attempt >= last:
                    break
                told = self.clock()
                self.listen(Waiting(probe.id, wait, exchange.status or 0))
                if not is_scout:
                    await turn.enter_async_context(self.patience)
                    is_scout = True
                await self._until(told + wait)
        assert exchange is not None
        return exchange

    def _learned_from(self, exchange: Exchange, call: Call) -> bool:
        """Whether a refusal named a field that this model does not take, and it was not known yet."""
        field = unsupported_field(exchange)
        fields = call.body if isinstance(call.body, dict) else ()  # a form is sent as it is
        if field is None or field in self.unsupported or field not in fields or field in ESSENTIAL:
            return False
        self.unsupported.add(field)
        return True

    def _in_their_words(self, call: Call, probe: Probe) -> Call:
        """The call without what the model refused by name; renamed where the field has a successor.

        A request that is wrong on purpose keeps the fields it may be wrong in.
        """
        if not isinstance(call.body, dict) or not self.unsupported & set(call.body):
            return call
        body: dict[str, Any] = {}
        for name, value in call.body.items():
            if name not in self.unsupported:
                if value is not None or name not in body:  # a successor that is null beside it says nothing
                    body[name] = value
            elif name in SUCCESSORS:
                body.setdefault(SUCCESSORS[name], value)
            elif probe.expects == "refusal":
                body[name] = value
        lonely = {name for name, other in COMPANIONS.items() if other in call.body and other not in body}
        return replace(call, body={name: value for name, value in body.items() if name not in lonely})

    def _with_room(self, call: Call, probe: Probe) -> Call:
        """The call with what this model needs before its first word, where a word must be seen."""
        if not self.room or probe.ran_out is None or not _cap(call.body):
            return call
        caps = {name: call.body[name] + self.room for name in CAPS if isinstance(call.body.get(name), int)}
        return replace(call, body={**call.body, **caps})

    def _made_room(self, exchange: Exchange, probe: Probe, asked: Call, room: int) -> bool:
        """Whether to ask again with a larger cap: the answer ran out of `room`, and there is more."""
        if probe.ran_out is None or exchange.status != 200 or exchange.trouble or not _cap(asked.body):
            return False
        if not probe.ran_out(exchange):
            return False
        if self.room == room:
            self.room = next((larger for larger in ROOMS if larger > room), room)
        return self.room > room

    async def _until(self, then: float) -> None:
        while (pause := then - self.clock()) > 0:
            await self.sleep(pause)

    def _request(self, probe: Probe, step: int, attempt: int, call: Call) -> tuple[httpx2.Request, Request]:
        """What leaves, and what is recorded of it. Raises FlowFailed when no client could send it."""
        try:
            body = encoded(call)
            headers = self._headers(call, body, f"wp-{self.run_id}-{probe.id}-{step}-{attempt}")
            leaving = self.client.build_request(
                call.method, self.target.url(call.path), params=dict(call.query) or None, headers=headers, content=body
            )
        except (httpx2.InvalidURL, ValueError, TypeError) as ours:
            raise FlowFailed(f"step {step} cannot be sent: {type(ours).__name__}: {ours}") from ours
        masked = self.secrets.in_headers(headers.items())
        return leaving, Request(call.method, call.path, dict(call.query), masked, body)

    async def _send(
        self, probe: Probe, step: int, attempt: int, leaving: httpx2.Request, kept: Request, *, is_last: bool
    ) -> Exchange:
        """`is_last`: on a connection of its own, and a loss of it is the target's."""
        operation = self.spec.operation_for(kept.method, kept.path)
        wire = Wire(self.bounds, self.clock)
        started = self.wall()
        if is_last:
            async with self.fresh() as client:
                await wire.fetch(client, leaving)
            wire.trouble = wire.trouble and wire.trouble.confirmed()
        else:
            await wire.fetch(self.client, leaving)
        coding = next((value for name, value in wire.headers if name.lower() == "content-encoding"), None)
        return Exchange(
            probe.id,
            step,
            attempt,
            operation.id if operation else None,
            kept,
            wire.status,
            self.secrets.in_headers(wire.headers),
            self.secrets.in_chunks(wire.chunks, coding),
            started,
            wire.headers_at_s,
            wire.ended_at_s,
            wire.trouble and replace(wire.trouble, detail=self.secrets.in_text(wire.trouble.detail)),
        )

    def _headers(self, call: Call, body: bytes, request_id: str) -> dict[str, str]:
        key = self.target.key
        keys = {
            "key": key,
            "none": None,
            "wrong": WRONG_KEY,
            "cut": key and cut(key),
            "extended": key and extended(key),
        }
        sent = {
            "accept": "application/json, text/event-stream",
            "accept-encoding": "identity",
            "user-agent": f"wireproof/{__version__}",
            "x-client-request-id": request_id,
        }
        if body:
            sent["content-type"] = "application/json"
        if keys[call.auth]:
            sent["authorization"] = f"Bearer {keys[call.auth]}"
        return {**sent, **call.headers}


def _cap(body: Any) -> int:
    """The cap that a body asks for; 0 when it has none."""
    fields = body if isinstance(body, dict) else {}
    return next((fields[name] for name in CAPS if isinstance(fields.get(name), int)), 0)


def _next(flow: Flow, exchange: Exchange | None) -> Call | None:
    """What a flow asks after this answer (None: at first); None when it has nothing more to ask."""
    try:
        return next(flow) if exchange is None else flow.send(exchange)
    except StopIteration:
        return None
    except Exception as ours:  # other people's flows run here, on whatever a target answered
        raise FlowFailed(f"the flow itself failed: {type(ours).__name__}: {ours}") from ours


def _check_the_door(exchange: Exchange) -> None:
    """Raises what makes every further request pointless: nobody there, or the key refused."""
    if exchange.trouble and exchange.trouble.kind == "unreachable":
        raise Unreachable(exchange.trouble.detail)
    if exchange.status in (401, 403):
        said = exchange.wire[:200].decode("utf-8", "replace")
        raise KeyRefused(f"the target answered {exchange.status} to {exchange.request.path}: {said}")


def _minus(one: Cost, other: Cost) -> Cost:
    dollars = None if one.usd is None or other.usd is None else one.usd - other.usd
    return Cost(
        one.calls - other.calls,
        one.prompt_tokens - other.prompt_tokens,
        one.completion_tokens - other.completion_tokens,
        dollars,
    )
