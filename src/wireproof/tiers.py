"""Published rate limits: which requests and tokens a minute a tier grants for a model, to scale if need be.

Scaling exists because nobody wants to send 30,000 requests to see the 30,001st refused. `scale` shrinks
requests a minute, tokens a minute and requests a day together, so the corner where one limit gives way to
the other (TPM / RPM tokens a request) stays where it was. But a limit of 10 a minute refills once in six
seconds, and a measurement of a few windows takes many minutes. So where the scaled RPM falls under
SLOWEST_RPM, the *minute* is shortened until the refill is SLOWEST_RPM per real minute again: tier-1's 500 RPM
at scale 0.02 become 10 requests per "minute" of 5 seconds. TPM shares the shortened minute, a day is 1,440 of
them. `scale=1.0` always means real minutes.

Limits never fall below 1, nor RPM below FEWEST_RPM (or what is published): a burst of fewer requests says
nothing. Where that floor holds RPM up, the others stay with it: free's 3 RPM and 40,000 TPM stay as they are, in
a minute of 1.5 seconds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from wireproof.content import shelf
from wireproof.spec import read_yaml

MINUTE_S = 60.0
SLOWEST_RPM = 120
FEWEST_RPM = 3
# No tier, but the want of one: what no client of one stand-in can reach, for mocks and for benchmarks.
UNLIMITED = "unlimited"
BOUNDLESS_RPM, BOUNDLESS_TPM = 1_000_000_000, 1_000_000_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """What a tier grants to all models of `group` together, per `minute_s` seconds; `rpd` per 1,440 of those.

    None where no such limit is published: image models have `ipm` (images) for `rpm`, the first Whisper no `tpm`.
    `batch_tokens` may wait in the batches of an organisation at any time.
    """

    tier: str
    group: str
    rpm: int | None
    tpm: int | None
    rpd: int | None = None
    minute_s: float = MINUTE_S
    ipm: int | None = None
    batch_tokens: int | None = None


def limits(tier: str, model: str, scale: float = 1.0) -> Limits:
    """The published limits of `tier` for `model`, times `scale`.

    A snapshot (`gpt-4.1-mini-2025-04-14`) has the limits of its alias. The tier "unlimited" has none worth the name.
    ValueError for an unknown tier or model, a tier the group does not support, a scale outside (0, 1].
    """
    if not 0 < scale <= 1:
        raise ValueError(f"scale must be above 0 and at most 1, got {scale:g}")
    group = group_of(model)
    if tier == UNLIMITED:
        return Limits(tier, group, BOUNDLESS_RPM, BOUNDLESS_TPM)
    if tier not in tiers():
        raise ValueError(f"no tier {tier!r}; there are {', '.join((*tiers(), UNLIMITED))}")
    granted = _published()["groups"][group]["limits"]
    row = granted.get(tier)
    if not row:
        supported = [name for name in tiers() if granted.get(name)]
        raise ValueError(f"{model} is not available on {tier}; its group {group} has {', '.join(supported)}")
    return scaled(
        Limits(
            tier,
            group,
            rpm=row.get("rpm"),
            tpm=row.get("tpm"),
            rpd=row.get("rpd"),
            ipm=row.get("ipm"),
            batch_tokens=row.get("batch_queue_tokens"),
        ),
        scale,
    )


def scaled(full: Limits, scale: float) -> Limits:
    """`full`, given for real minutes, times `scale`; see the top of this file for the shortened minute."""
    counted = full.rpm or full.ipm
    if scale == 1.0 or counted is None:
        return full
    count = max(min(counted, FEWEST_RPM), round(counted * scale))
    scale = count / counted  # where the floor held RPM up, the others stay with it
    return Limits(
        full.tier,
        full.group,
        rpm=_part(full.rpm, scale),
        tpm=_part(full.tpm, scale),
        rpd=_part(full.rpd, scale),
        minute_s=MINUTE_S * min(1.0, count / SLOWEST_RPM),
        ipm=_part(full.ipm, scale),
        batch_tokens=_part(full.batch_tokens, scale),
    )


def _part(whole: int | None, scale: float) -> int | None:
    return None if whole is None else max(1, round(whole * scale))


def tiers() -> tuple[str, ...]:
    """The names of the tiers, lowest first."""
    return tuple(_published()["tiers"])


def group_of(model: str) -> str:
    """The group a model shares its limits with; ValueError when none is published.

    Groups for long contexts only (`over_input_tokens`) are left aside.
    """
    listed: dict[str, str] = {
        name: group
        for group, row in _published()["groups"].items()
        if "over_input_tokens" not in row
        for name in row["models"]
    }
    alias = re.sub(r"-\d{4}-\d{2}-\d{2}$", "", model)
    if alias not in listed:
        raise ValueError(f"no published limits for {model}; there are some for {', '.join(sorted(listed))}")
    return listed[alias]


@cache
def _published() -> dict[str, Any]:
    return read_yaml(shelf("spec") / "tiers.yaml")
