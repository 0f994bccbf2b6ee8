"""A load profile: the YAML a person writes, read strictly.

Anything unknown or out of range is refused with one line that names the file and the field. Nothing here
knows the target: rates relative to a limit become numbers in `plan`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from wireproof.content import shelf
from wireproof.traffic.threshold import BadThreshold, Threshold, parse

Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(gt=0, le=10)]


class BadProfile(ValueError):
    """One line: the file, the field, what was expected."""


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Item(Strict):
    """One kind of request in the mix.

    `prompt_tokens` pads the prompt to about that many tokens. `max_tokens_of_corner` sets `max_tokens` to that
    multiple of TPM/RPM, the request size at which both limits bind together.
    `ignore_eos` is an extension of vLLM and the stand-in: the answer has exactly `max_tokens` tokens.
    """

    kind: Literal["chat-stream", "chat", "completion-stream", "embeddings"] = "chat-stream"
    # For a mix over several models; the run's model otherwise.
    model: str | None = None
    weight: Annotated[int, Field(gt=0)] = 1
    prompt: str = "Tell a long story about the sea."
    prompt_tokens: Annotated[int, Field(gt=0, le=200_000)] | None = None
    max_tokens: Annotated[int, Field(gt=0)] | None = None
    max_tokens_of_corner: Positive | None = None
    ignore_eos: bool = False
    # Reasoning models of the API refuse `max_tokens`, many other backends know nothing else.
    cap: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    # Some backends answer 400 to `stream_options`.
    include_usage: bool = True

    @model_validator(mode="after")
    def _one_cap(self) -> Item:
        if self.max_tokens is not None and self.max_tokens_of_corner is not None:
            raise ValueError("max_tokens and max_tokens_of_corner exclude each other")
        if self.kind == "embeddings" and (self.max_tokens or self.max_tokens_of_corner or self.ignore_eos):
            raise ValueError("an embeddings request has no max_tokens and no ignore_eos")
        return self


class Closed(Strict):
    """`users` requests in flight, each followed at once by the next. The first ones start spread over `ramp_s`."""

    users: Annotated[int, Field(gt=0, le=10_000)]
    ramp_s: Annotated[float, Field(ge=0)] = 0.0


class Open(Strict):
    """Arrivals at a rate, whatever the answers do: absolute, or as a multiple of the limit that binds."""

    rate_rps: Annotated[float, Field(gt=0, le=10_000)] | None = None
    of_limit: Share | None = None
    spacing: Literal["constant", "poisson"] = "constant"

    @model_validator(mode="after")
    def _one_rate(self) -> Open:
        if (self.rate_rps is None) == (self.of_limit is None):
            raise ValueError("open arrivals need exactly one of rate_rps, of_limit")
        return self


class Arrivals(Strict):
    closed: Closed | None = None
    open: Open | None = None

    @model_validator(mode="after")
    def _one_shape(self) -> Arrivals:
        if (self.closed is None) == (self.open is None):
            raise ValueError("arrivals need exactly one of closed, open")
        return self


class Stage(Strict):
    """A stretch of the run.

    It lasts `for_s`, or as long as the limit takes to admit `for_admissions` requests (never less than `for_s`).
    With `until_throttled` it ends at the first 429 that names this limit; `for_s` is then the longest it may take.
    `judged: false` keeps its samples out of the run's own figures (warm-up, drain).
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    for_s: Annotated[float, Field(gt=0, le=86_400)] = 5.0
    for_admissions: Annotated[int, Field(gt=0)] | None = None
    until_throttled: Literal["requests", "tokens", "any"] | None = None
    judged: bool = True
    arrivals: Arrivals | None = None
    mix: tuple[Item, ...] | None = None

    @field_validator("mix")
    @classmethod
    def _not_empty(cls, mix: tuple[Item, ...] | None) -> tuple[Item, ...] | None:
        if mix is not None and not mix:
            raise ValueError("a mix needs at least one item")
        return mix


class Patience(Strict):
    """How long to wait before a request counts as timed out. Seconds."""

    connect_s: Positive = 10.0
    first_token_s: Positive = 60.0
    gap_s: Positive = 30.0
    total_s: Positive = 300.0


class Pace(Strict):
    """How fast the stand-in answers when the run has no other target. Milliseconds."""

    ttft_ms: Annotated[float, Field(ge=0)] = 200.0
    itl_ms: Annotated[float, Field(ge=0)] = 20.0
    jitter: Annotated[float, Field(ge=0, le=2)] = 0.0


class Slo(Strict):
    """What one request must meet to count into goodput. Milliseconds; what is absent is not asked."""

    ttft_ms: Positive | None = None
    tpot_ms: Positive | None = None
    e2e_ms: Positive | None = None


class Profile(Strict):
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")]
    summary: str
    model: str | None = None
    tier: str | None = None
    arrivals: Arrivals
    mix: Annotated[tuple[Item, ...], Field(min_length=1)] = (Item(),)
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)]
    thresholds: tuple[str, ...] = ()
    slo: Slo = Slo()
    patience: Patience = Patience()
    stand_in: Pace = Pace()
    drain_s: Annotated[float, Field(ge=0, le=3600)] = 30.0
    max_in_flight: Annotated[int, Field(gt=0, le=20_000)] = 1_000

    @property
    def needs_limits(self) -> bool:
        """Whether some figure is relative to a rate limit."""
        return self.tier is not None

    @property
    def parsed_thresholds(self) -> tuple[Threshold, ...]:
        return tuple(parse(text) for text in self.thresholds)

    @field_validator("thresholds")
    @classmethod
    def _readable(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        for text in texts:
            try:
                parse(text)
            except BadThreshold as bad:
                raise ValueError(str(bad)) from bad
        return texts

    @model_validator(mode="after")
    def _coherent(self) -> Profile:
        names = [stage.name for stage in self.stages]
        if len(set(names)) != len(names):
            raise ValueError(f"two stages share a name: {', '.join(names)}")
        for threshold in self.parsed_thresholds:
            if threshold.stage is not None and threshold.stage not in names:
                raise ValueError(f"threshold {threshold.text!r} names no stage; stages are {', '.join(names)}")
        if not any(stage.judged for stage in self.stages):
            raise ValueError("no stage is judged")
        if self.tier is None and self._relative():
            raise ValueError(f"{self._relative()} is relative to a limit, but the profile names no tier")
        return self

    def _relative(self) -> str:
        """What in the profile needs a limit, or ""."""
        shapes = [self.arrivals, *(stage.arrivals for stage in self.stages if stage.arrivals)]
        if any(shape.open is not None and shape.open.of_limit is not None for shape in shapes):
            return "of_limit"
        if any(stage.for_admissions is not None for stage in self.stages):
            return "for_admissions"
        items = [*self.mix, *(item for stage in self.stages for item in stage.mix or ())]
        return "max_tokens_of_corner" if any(item.max_tokens_of_corner is not None for item in items) else ""


def read_profile(path: Path) -> Profile:
    """Raises BadProfile."""
    try:
        value = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as bad:
        raise BadProfile(f"{path}: cannot be read: {bad}") from bad
    except yaml.YAMLError as bad:
        raise BadProfile(f"{path}: not YAML: {' '.join(str(bad).split())}") from bad
    if not isinstance(value, dict):
        raise BadProfile(f"{path}: expected a mapping, got {type(value).__name__}")
    try:
        return Profile.model_validate(value)
    except ValidationError as bad:
        first = bad.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "(top)"
        more = f" (and {bad.error_count() - 1} more)" if bad.error_count() > 1 else ""
        raise BadProfile(f"{path}: {where}: {first['msg']}{more}") from bad


def profiles() -> dict[str, Path]:
    """The profiles that come along, by name."""
    return {path.stem: path for path in sorted((shelf("load") / "profiles").glob("*.yaml"))}


def find_profile(name: str) -> Profile:
    """A profile that comes along, or the path of a YAML file of one's own. Raises BadProfile."""
    known = profiles()
    if name in known:
        return read_profile(known[name])
    path = Path(name)
    if path.suffix in (".yaml", ".yml") or path.exists():
        return read_profile(path)
    raise BadProfile(f"no profile {name!r}; there are {', '.join(known)}, or give the path of a .yaml file")
