"""Content files as tests see them: by the name of their file."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest

from wireproof.content import load_file, shelf


@pytest.fixture(scope="session")
def contract() -> Callable[[str], ModuleType]:
    """`contract("chat")` is the module `contracts/chat.py`."""
    return lambda stem: load_file(shelf("contracts") / f"{stem}.py", "contracts")
