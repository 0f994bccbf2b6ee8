"""How a job trains: what `auto` comes to, how many steps that makes, and how the loss falls on the way."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from wireproof.standin.prose import dice

# Three epochs, but as many as see a hundred examples, and never more than 25.
# Source: the recipe for estimating costs published with the guide to fine-tuning.
USUAL_EPOCHS, MOST_EPOCHS, ENOUGH_SEEN = 3, 25, 100
# A five-hundredth of the examples a step. Source: the guide to fine-tuning of the earlier models.
BATCH_SHARE, MOST_BATCH = 0.002, 256
LEARNING_RATE_MULTIPLIER = 2.0
# Ours: what the further parameters of the other methods come to.
AUTO: dict[str, Any] = {
    "beta": 0.1,
    "compute_multiplier": 1.0,
    "eval_interval": 5,
    "eval_samples": 1,
    "reasoning_effort": "default",
}
OF_METHOD = {
    "supervised": (),
    "dpo": ("beta",),
    "reinforcement": ("reasoning_effort", "compute_multiplier", "eval_interval", "eval_samples"),
}
COMMON = ("n_epochs", "batch_size", "learning_rate_multiplier")
# A step each becomes an event; beyond so many an epoch only every second, third, ... does.
MOST_EVENTS_OF_EPOCH = 100


def asked(method: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The hyperparameters of a job before its files are known: what was given, else `auto`."""
    auto = dict.fromkeys((*COMMON, *OF_METHOD[method]), "auto")
    if "reasoning_effort" in auto:
        auto["reasoning_effort"] = AUTO["reasoning_effort"]
    return {**auto, **{name: value for name, value in given.items() if name in auto}}


def resolved(hyperparameters: Mapping[str, Any], examples: int) -> dict[str, Any]:
    """The same with numbers in place of `auto`."""
    epochs = USUAL_EPOCHS
    if examples * epochs < ENOUGH_SEEN:
        epochs = min(MOST_EPOCHS, ENOUGH_SEEN // examples)
    found = {
        "n_epochs": epochs,
        "batch_size": min(MOST_BATCH, max(1, round(examples * BATCH_SHARE))),
        "learning_rate_multiplier": LEARNING_RATE_MULTIPLIER,
        **AUTO,
    }
    return {name: found[name] if value == "auto" else value for name, value in hyperparameters.items()}


def steps_of_epoch(examples: int, batch_size: int) -> int:
    return math.ceil(examples / batch_size)


def told_steps(epoch: int, of_epoch: int) -> list[int]:
    """The steps of the `epoch`-th epoch (from 1) that become an event: all, or evenly chosen, the last among them."""
    every = math.ceil(of_epoch / MOST_EVENTS_OF_EPOCH)
    first, last = (epoch - 1) * of_epoch + 1, epoch * of_epoch
    return [step for step in range(first, last + 1) if (last - step) % every == 0]


def metrics(job_id: str, step: int, steps: int, *, validated: bool, whole: bool = False) -> dict[str, float]:
    """Loss and accuracy at a step: a falling curve with a little noise, the same for the same job.

    With a validation file there are the two for it, and on the `whole` of it at the end of an epoch.
    """
    fallen = math.exp(-3 * step / max(1, steps))
    throw = dice("training", job_id, step)
    train = 0.3 + 2.1 * fallen + throw.uniform(-0.05, 0.05)
    found = {"step": float(step), "train_loss": train, "train_mean_token_accuracy": _accuracy(train)}
    if validated:
        valid = train + 0.1 + throw.uniform(0, 0.05)
        found |= {"valid_loss": valid, "valid_mean_token_accuracy": _accuracy(valid)}
        if whole:
            full = train + 0.12 + throw.uniform(0, 0.02)
            found |= {"full_valid_loss": full, "full_valid_mean_token_accuracy": _accuracy(full)}
    return {name: round(value, 5) for name, value in found.items()}


def _accuracy(loss: float) -> float:
    return math.exp(-loss / 3)
