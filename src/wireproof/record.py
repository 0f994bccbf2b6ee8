"""Recording: sends the probes of a plan and keeps what came back.

One gate bounds the requests in flight; Retry-After holds everybody back; the budget stops the run before the
request that would break it. What goes wrong on the wire becomes a `Trouble` of the exchange: judging is not
done here. A flow asks its next question after the answer before; on resume its old answers come from the
journal, and nothing is sent a second time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

import httpx2

from wireproof.clause import Call, Exchange, Flow, Probe
from wireproof.fetch import Bounds, KeyRefused, Target, Unreachable, is_local
from wireproof.heed import actual_cost, wait_s
from wireproof.plan import Budget, Cost, Plan, bind, call_cost
from wireproof.sending import FlowFailed, Sender
from wireproof.spec import Spec
from wireproof.spending import OverBudget, Spending
from wireproof.talking import Dial
from wireproof.wording import Wording

# httpx's pool costs grow with the connections that are open: 64 of them add 39 ms to a median first byte,
# 8 add nothing that could be measured (research on load clients, 2026-11).
GATE = 8
ATTEMPTS = 3
MOST_WAIT_S = 65.0  # a minute's window and a little; a longer wait is reported, not slept through


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
    dial: Dial | None = None,
) -> Cost:
    """Sends the plan, then what `more` gives until it gives nothing. Returns what was spent by this call.

    `listen` hears of everything as it happens. `dial` opens WebSockets, as `transport` carries requests.
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
        sender = Sender(target, spec, bounds, client, fresh, clock, wall, dial)
        recorder = _Recorder(plan, spec, listen, already or {}, Spending(budget or Budget()), sender, sleep)
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
                return recorder.spending.spent


class _Recorder:
    """What a run remembers between requests: what it learned, what it spent, and who waits for whom."""

    def __init__(
        self,
        plan: Plan,
        spec: Spec,
        listen: Listener,
        already: Mapping[tuple[str, int], Exchange],
        spending: Spending,
        sender: Sender,
        sleep: Sleep,
    ) -> None:
        self.plan, self.spec, self.listen, self.already = plan, spec, listen, already
        self.spending, self.sender = spending, sender
        self.clock, self.wall, self.sleep = sender.clock, sender.wall, sleep
        self.wording = Wording(plan.probes, already)
        # Held by the request that waits out a 429 and asks again; those that have not left stand behind it,
        # so that the wait is tried as told: by one request, before any other.
        self.patience = asyncio.Lock()

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
                call = self.wording.in_their_words(call, probe)
                asking, room = self.wording.with_room(call, probe), self.wording.room
                estimate = call_cost(self.spec, asking, probe.expects)
                leaving = self.sender.prepared(asking, f"{probe.id}-{step}-{attempt}")
                try:
                    self.spending.promise(estimate)
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
                    exchange = await self.sender.send(leaving, probe.id, step, attempt, is_last=lost_before)
                finally:
                    self.spending.release(estimate)
                if at_the_door:
                    _check_the_door(exchange)
                spent = self.spending.spend(actual_cost(self.spec, exchange, estimate))
                self.listen(Recorded(exchange, spent))
                if exchange.trouble and exchange.trouble.kind == "dropped":
                    continue
                if probe.expects == "answer" and self.wording.learned_from(exchange, call):
                    last += 1
                    continue
                if self.wording.made_room(exchange, probe, asking, room):
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

    async def _until(self, then: float) -> None:
        while (pause := then - self.clock()) > 0:
            await self.sleep(pause)


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
    # Frameworks answer 403 to the handshake of a socket that there is not.
    if exchange.status == 401 or (exchange.status == 403 and not exchange.request.is_handshake):
        said = exchange.wire[:200].decode("utf-8", "replace")
        raise KeyRefused(f"the target answered {exchange.status} to {exchange.request.path}: {said}")
