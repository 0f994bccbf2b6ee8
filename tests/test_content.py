"""The four folders: found in a checkout, shipped in a wheel, loaded by path."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import wireproof
from wireproof.content import SHELVES, load_folder, shelf

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("name", SHELVES)
def test_a_checkout_reads_its_own_folders(name: str) -> None:
    """An editable install leaves a stale copy in site-packages; it must never win."""
    assert shelf(name) == ROOT / name


def test_the_package_holds_no_content_folder_of_its_own() -> None:
    assert not (Path(wireproof.__file__).parent / "content").exists()


@pytest.mark.parametrize("name", SHELVES)
def test_a_content_folder_is_no_package(name: str) -> None:
    assert not (ROOT / name / "__init__.py").exists()


def test_a_folder_that_is_no_shelf_is_refused() -> None:
    with pytest.raises(FileNotFoundError, match="no folder 'tests'"):
        shelf("tests")


def test_files_load_once_and_in_order_and_an_underscore_hides_one(tmp_path: Path) -> None:
    for name in ("b.py", "a.py", "_hidden.py"):
        (tmp_path / name).write_text("seen = []\n")
    first, again = load_folder(tmp_path, "test"), load_folder(tmp_path, "test")
    assert [module.__name__.rpartition(".")[2] for module in first] == ["a", "b"]
    assert [id(module) for module in first] == [id(module) for module in again]


def test_a_file_that_fails_is_not_left_half_loaded(tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("1 / 0\n")
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            load_folder(tmp_path, "test")


HEAVY = (
    "httpx2",
    "schemathesis",
    "hypothesis",
    "locust",
    "gevent",
    "rich",
    "jinja2",
    "yaml",
    "uvicorn",
    "jsonschema_rs",
    "pytest",
)


@pytest.mark.parametrize("first", ["wireproof.cli", "wireproof.pytest_plugin"])
def test_nothing_heavy_is_imported_before_it_is_used(first: str) -> None:
    """pytest imports the plugin everywhere; `wireproof --help` must not wait for what it does not use."""
    told = subprocess.run(
        [sys.executable, "-c", f"import sys, {first}; print(*sorted({{name.split('.')[0] for name in sys.modules}}))"],
        capture_output=True,
        text=True,
        check=True,
    )
    allowed = {"pytest"} if first.endswith("plugin") else set()
    assert set(told.stdout.split()) & set(HEAVY) <= allowed


def test_files_of_a_folder_share_a_reader_and_folders_of_one_name_do_not_mix(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "_shared.py").write_text(f"WHO = {folder!r}\n")
        (tmp_path / folder / "chat.py").write_text("from ._shared import WHO\n")
    assert [load_folder(tmp_path / folder, "test")[0].WHO for folder in ("one", "two", "one")] == ["one", "two", "one"]
