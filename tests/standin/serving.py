"""`wireproof serve` as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def serving(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """A running `wireproof serve` and what its first three lines say."""
    command = [sys.executable, "-m", "wireproof", "serve", "--port", "0", *arguments]
    environment = {**os.environ, "WIREPROOF_STANDIN_KEY": "sk-mine", "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        said = dict(process.stdout.readline().split("  ", 1) for _ in range(3))
        try:
            yield process, {name.strip(): value.strip() for name, value in said.items()}
        finally:
            process.kill()
