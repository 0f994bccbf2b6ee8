"""What was asked for, as it travels from the command line to the workers: through the environment and a file.

The key itself never does: only the name of the variable that holds it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from wireproof.tiers import limits
from wireproof.traffic.plan import Ceiling, Plan, make_plan
from wireproof.traffic.profile import BadProfile, Profile, find_profile
from wireproof.traffic.summary import Target

PREFIX = "WIREPROOF_"
FILE = "settings.json"


class BadSettings(ValueError):
    """One line: which setting, what was expected."""


@dataclass(frozen=True, slots=True)
class Settings:
    """`model` falls back to the profile's. `scale` shrinks published limits and rates together."""

    profile: str
    base_url: str
    model: str = ""
    key_variable: str = "OPENAI_API_KEY"
    scale: float = 1.0
    duration_s: float | None = None
    users: int | None = None
    seed: int = 0
    out: str = "wireproof-load"
    workers: int = 1
    stand_in: bool = False

    def environ(self) -> dict[str, str]:
        """Variables for the child process; what is not set is left out."""
        return {PREFIX + name.upper(): str(value) for name, value in asdict(self).items() if value not in (None, "")}

    def target(self) -> Target:
        return Target(self.base_url, self.chosen_model(self.read()), self.stand_in)

    def read(self) -> Profile:
        """Raises BadProfile."""
        return find_profile(self.profile)

    def chosen_model(self, profile: Profile) -> str:
        chosen = self.model or profile.model
        if not chosen:
            raise BadSettings(f"profile {profile.name} names no model: say --model (WIREPROOF_MODEL)")
        return chosen

    def plan(self) -> Plan:
        """Raises BadProfile, BadSettings."""
        profile = self.read()
        model = self.chosen_model(profile)
        plan = make_plan(
            profile,
            model=model,
            ceiling=self._ceiling(profile, model),
            seed=self.seed,
            duration_s=self.duration_s,
            users=self.users,
        )
        if self.workers > 1 and any(leg.until_throttled for leg in plan.legs):
            raise BadSettings(f"profile {profile.name} ends a stage at the first 429, which only one worker can see")
        return plan

    def write(self, folder: Path) -> None:
        (folder / FILE).write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")

    def _ceiling(self, profile: Profile, model: str) -> Ceiling | None:
        if not profile.tier:
            return None
        try:
            found = limits(profile.tier, model, self.scale)
        except ValueError as bad:
            raise BadSettings(str(bad)) from bad
        return Ceiling(profile.tier, model, found.rpm, found.tpm, found.rpd, found.minute_s, self.scale)


def from_environ(variables: Mapping[str, str]) -> Settings:
    """Settings of WIREPROOF_PROFILE, _BASE_URL, _MODEL, ... Raises BadSettings."""
    given = {name: variables[PREFIX + name.upper()] for name in _READ if variables.get(PREFIX + name.upper())}
    for name in ("profile", "base_url"):
        if name not in given:
            raise BadSettings(f"{PREFIX}{name.upper()} is not set")
    values: dict[str, object] = {}
    for name, text in given.items():
        try:
            values[name] = _READ[name](text)
        except ValueError as bad:
            raise BadSettings(f"{PREFIX}{name.upper()}: cannot read {text!r}") from bad
    return Settings(**values)  # type: ignore[arg-type]  # each value went through its reader


def read_settings(folder: Path) -> Settings:
    """What an earlier run wrote. Raises BadSettings."""
    try:
        return Settings(**json.loads((folder / FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as bad:
        raise BadSettings(f"{folder / FILE}: not the settings of a load run: {bad}") from bad


_READ: dict[str, Callable[[str], object]] = {
    "profile": str,
    "base_url": str,
    "model": str,
    "key_variable": str,
    "scale": float,
    "duration_s": float,
    "users": int,
    "seed": int,
    "out": str,
    "workers": int,
    "stand_in": lambda text: text == "True",
}
__all__ = ["BadProfile", "BadSettings", "Settings", "from_environ", "read_settings"]
