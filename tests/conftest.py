"""What all tests share: content files by the name of their file, and drawn examples that no clock judges."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest
from hypothesis import HealthCheck, settings

from wireproof.content import load_file, shelf

# How long an example takes tells of the machine's other work, not of the code.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def contract() -> Callable[[str], ModuleType]:
    """`contract("chat")` is the module `contracts/chat.py`."""
    return lambda stem: load_file(shelf("contracts") / f"{stem}.py", "contracts")
