"""A plan: the profile with every relative figure worked out, ready to be printed, priced and pushed.

Pure and deterministic: parent and workers each make it from the same profile, limits and options.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from wireproof.traffic.profile import Arrivals, BadProfile, Item, Profile, Stage
from wireproof.traffic.schedule import Spacing

# The guide charges TPM by the greater of max_tokens and an estimate from the characters of the request; about
# four characters make a token of English.
CHARACTERS_PER_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The limits a plan was made for. None where a dimension has none."""

    tier: str
    model: str
    rpm: int | None
    tpm: int | None
    rpd: int | None
    minute_s: float
    scale: float = 1.0

    def admitted_rps(self, cost_tokens: float) -> float:
        """Requests a second that requests of this cost can have in the long run: the limit that binds.

        Requests a day do not enter: no run here lasts a day, and the burst of a day's bucket is a day's worth.
        """
        per_minute = [float(self.rpm)] if self.rpm else []
        if self.tpm and cost_tokens:
            per_minute.append(self.tpm / cost_tokens)
        return min(per_minute) / self.minute_s if per_minute else math.inf

    def binding(self, cost_tokens: float) -> str:
        """`rpm` or `tpm`, whichever such requests hit first."""
        if not self.tpm or not cost_tokens:
            return "rpm"
        return "tpm" if not self.rpm or self.tpm / cost_tokens < self.rpm else "rpm"


@dataclass(frozen=True, slots=True)
class Leg:
    """One stage, ready to push. Exactly one of `users` (closed) and `rate_rps` (open) is set.

    `cost_tokens` is the mean charge of its requests, `binding` the limit they hit first ("" without limits).
    """

    name: str
    for_s: float
    until_throttled: str | None
    judged: bool
    items: tuple[Item, ...]
    users: int | None
    ramp_s: float
    rate_rps: float | None
    spacing: Spacing
    cost_tokens: float
    binding: str

    @property
    def most_requests(self) -> int | None:
        """None in a closed stage: as many as get through."""
        return None if self.rate_rps is None else math.ceil(self.rate_rps * self.for_s)


@dataclass(frozen=True, slots=True)
class Plan:
    profile: Profile
    model: str
    seed: int
    ceiling: Ceiling | None
    legs: tuple[Leg, ...]

    @property
    def longest_s(self) -> float:
        return sum(leg.for_s for leg in self.legs)

    def leg(self, name: str) -> Leg:
        return next(leg for leg in self.legs if leg.name == name)


def make_plan(
    profile: Profile,
    *,
    model: str,
    ceiling: Ceiling | None = None,
    seed: int = 0,
    duration_s: float | None = None,
    users: int | None = None,
) -> Plan:
    """`duration_s` replaces the length of every judged stage that has no length of its own making;
    `users` the users of every closed stage. Raises BadProfile when an override has nothing to act on.
    """
    if profile.needs_limits and ceiling is None:
        raise BadProfile(f"profile {profile.name} pushes the limits of {profile.tier}, but the limits are not known")
    legs = tuple(_leg(profile, stage, ceiling) for stage in profile.stages)
    if duration_s is not None:
        legs = _lasting(profile, legs, duration_s)
    if users is not None:
        if not any(leg.users and leg.judged for leg in legs):
            raise BadProfile(f"--users: what profile {profile.name} judges is not closed; its arrivals follow a rate")
        legs = tuple(replace(leg, users=users) if leg.users and leg.judged else leg for leg in legs)
    return Plan(profile, model, seed, ceiling, legs)


def charge(item: Item) -> int:
    """Tokens that one request of this item costs against TPM, by the documented rule."""
    return max(item.max_tokens or 0, math.ceil(prompt_characters(item) / CHARACTERS_PER_TOKEN))


def prompt_characters(item: Item) -> int:
    return max(len(item.prompt), (item.prompt_tokens or 0) * CHARACTERS_PER_TOKEN)


def _leg(profile: Profile, stage: Stage, ceiling: Ceiling | None) -> Leg:
    items = tuple(_capped(item, ceiling) for item in stage.mix or profile.mix)
    weight = sum(item.weight for item in items)
    cost = sum(charge(item) * item.weight for item in items) / weight
    shape: Arrivals = stage.arrivals or profile.arrivals
    most_rps = ceiling.admitted_rps(cost) if ceiling else math.inf
    rate = None
    if shape.open:
        rate = shape.open.rate_rps or (shape.open.of_limit or 1.0) * most_rps
    for_s = stage.for_s
    if stage.for_admissions is not None:
        for_s = max(for_s, stage.for_admissions / min(most_rps, rate or math.inf))
    return Leg(
        stage.name,
        for_s,
        stage.until_throttled,
        stage.judged,
        items,
        shape.closed.users if shape.closed else None,
        shape.closed.ramp_s if shape.closed else 0.0,
        rate,
        shape.open.spacing if shape.open else "constant",
        cost,
        ceiling.binding(cost) if ceiling else "",
    )


def _capped(item: Item, ceiling: Ceiling | None) -> Item:
    """The item with `max_tokens_of_corner` worked out."""
    if item.max_tokens_of_corner is None:
        return item
    if ceiling is None or not ceiling.rpm or not ceiling.tpm:
        raise BadProfile("max_tokens_of_corner needs both an RPM and a TPM limit")
    corner = ceiling.tpm / ceiling.rpm
    return item.model_copy(
        update={"max_tokens": max(1, round(item.max_tokens_of_corner * corner)), "max_tokens_of_corner": None}
    )


def _lasting(profile: Profile, legs: tuple[Leg, ...], duration_s: float) -> tuple[Leg, ...]:
    free = {stage.name for stage in profile.stages if stage.judged and stage.for_admissions is None}
    free -= {stage.name for stage in profile.stages if stage.until_throttled}
    if not free:
        raise BadProfile(f"--duration: the stages of {profile.name} last as long as their limits need")
    return tuple(replace(leg, for_s=duration_s) if leg.name in free else leg for leg in legs)
