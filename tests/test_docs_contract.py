"""The contract of one's own that docs/certify.md shows: it loads, and its test passes, as written there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from wireproof.certification import load_contracts

PAGE = Path(__file__).resolve().parents[1] / "docs" / "certify.md"


def test_the_documented_contract_and_its_test_run_as_written(tmp_path: Path) -> None:
    section = PAGE.read_text(encoding="utf-8").partition("## Contracts of your own")[2]
    contract, test = re.findall(r"```python\n(.*?)```", section, re.DOTALL)[:2]
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "region.py").write_text(contract)
    (tmp_path / "test_region.py").write_text(test)
    assert "acme.region" in {clause.id for clause in load_contracts([tmp_path / "acme"])[0]}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_region.py"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "1 passed" in ended.stdout, ended.stdout + ended.stderr
