"""Rate limits in use: `remaining` falls as requests are served, reset tells when it is back, and the limit is kept.

No probes of its own. The laws must hold for whoever shares the account, on a sample of the traffic and with many
requests in flight, so they use only what cannot be otherwise. Other traffic can lower `remaining` at any moment;
time alone raises it, as fast as the shortest published window (a minute) would, or faster where reset says so, or
all at once when a fixed window ends. Requests are in order only when one ended before the next was sent.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence

from wireproof.clause import Exchange, NotApplicable, clause, expect, needing, sequence, shown

from ._ratelimit import SERVED, Told, by_bucket

WINDOW_S = 60.0  # the shortest window that is published (requests and tokens a minute)
DAY_S = 86_400.0  # the longest
FEWEST = 4  # answers; fewer may be the ones around the end of a window
# How much must have been spent beyond what time can have brought back, before `remaining` has to be lower.
SPENT = 4


@clause(
    "ratelimit.falls",
    level="MUST",
    source="RL-LATE headers table: remaining",
    on=needing(sequence(SERVED), "clock", "sequence"),
)
def remaining_falls_with_use(exchanges: Sequence[Exchange]) -> None:
    """What remains falls with every request that is served, and rises again with time alone.

    Judged where it can be: when more requests were served than time can have given back, or when a bucket is
    said to be full and to need time to be full at once.
    """
    judged = False
    for (_, model, dimension), answers in by_bucket(exchanges).items():
        if len(answers) < FEWEST or any(told.limit != answers[0].limit for told in answers):
            continue
        if _fell(answers):
            judged = True
            continue
        proof = _idle_proof(answers) or (_spent_proof(answers) if dimension == "requests" else None)
        if proof:
            values = ", ".join(str(told.remaining) for told in answers[:6])
            expect(
                False,
                expected=f"x-ratelimit-remaining-{dimension} of {model} to fall: {proof}",
                got=f"{values}{', ...' if len(answers) > 6 else ''}",
                at=answers[-1].exchange.id,
            )
    if not judged:
        raise NotApplicable("too few requests, or limits so high that time gave everything back between two of them")


def _fell(answers: Sequence[Told]) -> bool:
    """Whether some answer shows less than one that had ended before it was asked for."""
    waiting: list[tuple[float, int]] = []
    most = -1
    for told in sorted(answers, key=lambda told: told.sent_s):
        while waiting and waiting[0][0] <= told.sent_s:
            most = max(most, heapq.heappop(waiting)[1])
        remaining = told.remaining or 0
        if remaining < most:
            return True
        heapq.heappush(waiting, (told.ended_s, remaining))
    return False


def _idle_proof(answers: Sequence[Told]) -> str | None:
    """All say: nothing used, and yet full again only later.

    A bucket that is full says 0s. A fixed window may have time left though nothing is used, but then an
    answer that began after another one ended must show the other's use.
    """
    if any(told.remaining != told.limit or not told.reset_s for told in answers):
        return None
    later = sum(told.sent_s >= min(one.ended_s for one in answers) for told in answers)
    return f"{len(answers)} served, all with the whole {answers[0].limit} left" if later >= FEWEST - 1 else None


def _spent_proof(answers: Sequence[Told]) -> str | None:
    """Two answers with so many served in between that the later one must show less."""
    rate = _rate(answers)
    if rate is None:
        return None
    ends = sorted(told.ended_s for told in answers)
    starts = sorted(told.sent_s for told in answers)
    least, ended, begun, first = float("inf"), 0, 0, 0
    by_end = sorted(answers, key=lambda told: told.ended_s)
    for told in sorted(answers, key=lambda told: told.sent_s):
        while first < len(by_end) and by_end[first].ended_s <= told.sent_s:
            earlier = by_end[first]
            while begun < len(starts) and starts[begun] < earlier.ended_s:
                begun += 1
            least = min(least, begun - rate * earlier.sent_s)
            first += 1
        while ended < len(ends) and ends[ended] <= told.sent_s:
            ended += 1
        spent = ended - rate * told.at_s - least
        if spent >= SPENT:
            return f"{int(spent)} more served than time can have given back"
    return None


@clause(
    "ratelimit.reset",
    level="SHOULD",
    source="RL-LATE headers table: time until the limit resets",
    on=needing(sequence(SERVED), "clock", "sequence"),
)
def resets_are_within_a_day(exchanges: Sequence[Exchange]) -> None:
    """Reset is the time until all is there again: no more than a day, and not nothing while a good part is used.

    The windows are a minute and a day; a reset in the far future is a point in time that was written as a duration.
    """
    for (_, _, dimension), answers in by_bucket(exchanges).items():
        known = [told for told in answers if told.reset_s is not None]
        for told in known:
            expect(
                (told.reset_s or 0) <= DAY_S,
                expected=f"x-ratelimit-reset-{dimension} of at most 24h",
                got=shown(told.exchange.header(f"x-ratelimit-reset-{dimension}")),
                at=told.exchange.id,
            )
        used = [told for told in known if _used_s(told) >= 1]
        expect(
            len(used) < FEWEST or any(told.reset_s for told in used),
            expected=f"x-ratelimit-reset-{dimension} above 0s while a part of the limit is used",
            got=f"0s on {len(used)} answers",
            at=used[0].exchange.id if used else "",
        )


# How often what is told to be back must not be back, and how much of it: other traffic may use a limit up once or twice
# in a window, and a window may end at any time.
BROKEN_PROMISES = 6
LEAST_USED = 20
LEAST_SHARE = 0.1


@clause(
    "ratelimit.reset-true",
    level="SHOULD",
    source="RL-LATE headers table: time until the limit resets",
    on=needing(sequence(SERVED), "clock", "sequence"),
)
def what_reset_promises_comes(exchanges: Sequence[Exchange]) -> None:
    """When the time that reset tells has passed, the limit is there again, less what was used since.

    Judged where a good part of the requests is said to be used, and to be back in no time, again and again within the
    shortest window there is: `17ms` where 17 seconds are meant, or a counter that never comes back.
    """
    judged = False
    for (_, model, dimension), answers in by_bucket(exchanges).items():
        if dimension != "requests" or any(told.limit != answers[0].limit for told in answers):
            continue
        judged = True
        told = _unkept(sorted(answers, key=lambda told: told.sent_s))
        if len(told) >= BROKEN_PROMISES:
            expect(
                False,
                expected=f"{told[0].limit} requests to {model} again after {_shown_s(told[0].reset_s)}",
                got=f"remaining {', '.join(str(one.remaining) for one in told[:6])}, each later than the last said",
                at=told[-1].exchange.id,
            )
    if not judged:
        raise NotApplicable("no answer tells a limit of requests")


def _unkept(answers: Sequence[Told]) -> list[Told]:
    """The longest chain of answers in which each was asked for after the one before had promised a full limit, within
    one window, and all of which lack a good part.
    """
    chain: list[Told] = []
    longest: list[Told] = []
    for told in answers:
        used = (told.limit or 0) - (told.remaining or 0)
        if not told.reset_s or used < max(LEAST_USED, LEAST_SHARE * (told.limit or 0)):
            chain = []
            continue
        if chain and told.sent_s < chain[-1].ended_s + (chain[-1].reset_s or 0):
            continue
        chain = [one for one in chain if told.at_s - one.at_s < WINDOW_S] + [told]
        longest = max(longest, chain, key=len)
    return longest


def _used_s(told: Told) -> float:
    """How many seconds it takes at least to get back what is used."""
    return ((told.limit or 0) - (told.remaining or 0)) * WINDOW_S / (told.limit or 1)


@clause(
    "ratelimit.enforced",
    level="MUST",
    source="RL-LATE: requests over the limit are refused",
    on=needing(sequence(SERVED), "clock", "sequence"),
)
def limits_are_kept(exchanges: Sequence[Exchange]) -> None:
    """Nobody is served beyond the limit that the headers tell.

    A bucket lets through its limit at once and then what time gives back; a fixed window twice the limit around
    its end. More than that, or several after `remaining: 0`, means that the limit is only written down.
    """
    for (_, model, dimension), answers in by_bucket(exchanges).items():
        limit = answers[0].limit
        if dimension != "requests" or any(told.limit != limit for told in answers) or not limit:
            continue
        answers = sorted(answers, key=lambda told: told.sent_s)
        rate = _rate(answers)
        if rate is None:
            continue
        span_s = max(told.at_s for told in answers) - answers[0].sent_s
        most = 2 * limit + rate * span_s
        expect(
            len(answers) <= most,
            expected=f"at most {int(most)} requests to {model} served in {span_s:.1f} s by a limit of {limit}",
            got=f"{len(answers)} served",
            at=answers[-1].exchange.id,
        )
        empty = next((told for told in answers if told.remaining == 0 and told.reset_s), None)
        if empty is None:
            continue
        after = [one for one in answers if empty.ended_s <= one.sent_s and one.at_s < empty.at_s + (empty.reset_s or 0)]
        allowed = 1 + rate * ((after[-1].at_s - empty.sent_s) if after else 0)
        expect(
            len(after) <= allowed,
            expected=f"a 429 after {empty.exchange.id} told that 0 requests remain for {_shown_s(empty.reset_s)}",
            got=f"{len(after)} more served",
            at=after[-1].exchange.id if after else "",
        )


def _shown_s(seconds: float | None) -> str:
    return f"{seconds or 0:g} s"


def _rate(answers: Sequence[Told]) -> float | None:
    """How many units of the limit a second may give back at most; None when no bound can be told.

    At least that of a window of a minute. Where reset is the time to a full bucket, what is used over reset is
    the true rate; where it is the end of a fixed window, it is the rate at which that one frees its units.
    """
    rates = [(answers[0].limit or 0) / WINDOW_S]
    for told in answers:
        used = (told.limit or 0) - (told.remaining or 0)
        if told.reset_s is not None and used > 0:
            if told.reset_s == 0:
                return None
            rates.append(used / told.reset_s)
    return max(rates)
