"""The small version of benchmarks/abuse.py: every abuse is refused by name, and nothing is left behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "abuse.py"


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_abuse_is_refused_and_leaves_no_memory_behind() -> None:
    told = subprocess.run([sys.executable, SCRIPT, "--small", "--rounds", "1"], capture_output=True, text=True)
    assert told.returncode == 0, told.stdout + told.stderr
    assert told.stdout.endswith("kept\n")
