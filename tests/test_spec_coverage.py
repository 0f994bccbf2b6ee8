"""What the SDK exposes is found in its sources, and what the description covers of it is counted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from wireproof.cli import run
from wireproof.spec import load_spec
from wireproof.spec_coverage import Coverage, Exposed, Surface, Unread, coverage, exposed, installed_sdk, surfaces_of

# Every resource of the SDK that is described, whole. A prefix stands for all below it.
COVERED = [
    "audio.speech", "audio.transcriptions", "audio.translations", "batches", "beta.assistants", "beta.threads", "chat",
    "completions", "containers", "conversations", "embeddings", "evals", "files", "fine_tuning", "images", "models",
    "moderations", "realtime", "responses", "uploads", "vector_stores", "videos",
]  # fmt: skip
SOURCE = """
class Things(SyncAPIResource):
    def create(self, *, name: str) -> Thing:
        return self._post("/things", body={"name": name})

    def parse(self, *, name: str) -> Thing:
        return self._post("/things", body={"name": name})

    def retrieve(self, thing_id: str) -> Thing:
        return self._get(path_template("/things/{thing_id}", thing_id=thing_id))

    def search(self, thing_id: str) -> SyncPage[Thing]:
        return self._get_api_list(path_template("/things/{id}/search", id=thing_id), page=SyncPage, method="post")

    def odd(self, path: str) -> Thing:
        return self._delete(path)


class AsyncThings(AsyncAPIResource):
    async def create(self, *, name: str) -> Thing:
        return await self._post("/things", body={"name": name})
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "openai" / "resources" / "beta" / "things"
    folder.mkdir(parents=True)
    (folder / "things.py").write_text(SOURCE)
    return tmp_path / "openai"


@pytest.fixture(scope="module")
def installed() -> Coverage:
    sdk, spec = installed_sdk(), load_spec()
    assert sdk is not None
    ours = [(one.method, one.path) for one in spec.operations.values()]
    return coverage(ours, exposed(sdk), surfaces_of(spec.catalogue("coverage")))


def test_an_operation_is_found_once_under_the_call_that_comes_first(package: Path) -> None:
    found = exposed(package)
    assert [one for one in found if isinstance(one, Exposed)] == [
        Exposed("POST", "/things", "beta.things", "create"),
        Exposed("GET", "/things/{thing_id}", "beta.things", "retrieve"),
        Exposed("POST", "/things/{id}/search", "beta.things", "search"),
    ]


def test_a_path_that_is_no_literal_is_told_and_not_dropped(package: Path) -> None:
    unread = [one for one in exposed(package) if isinstance(one, Unread)]
    assert unread == [Unread("resources/beta/things/things.py:16", "beta.things.odd")]


def test_a_path_with_a_query_is_the_operation_without(package: Path) -> None:
    (package / "resources" / "a.py").write_text(
        'class A:\n    def beta(self):\n        self._post("/things?beta=true")\n'
    )
    assert Exposed("POST", "/things", "beta.things", "create") in exposed(package)
    assert not [one for one in exposed(package) if isinstance(one, Exposed) and "?" in one.path]


def test_what_is_left_out_on_purpose_is_apart_from_what_is_missing(package: Path) -> None:
    ours = [("POST", "/things"), ("GET", "/other")]
    report = coverage(ours, exposed(package), [Surface("searches", ("*/search",))])
    assert [(one.name, one.described, one.exposed) for one in report.resources] == [("beta.things", 1, 2)]
    assert [one.call for one in report.later["searches"]] == ["search"]
    assert [one.call for one in report.missing] == ["retrieve"]
    assert report.beyond == ("GET /other",)


def test_the_names_of_path_parameters_do_not_matter(package: Path) -> None:
    report = coverage([("GET", "/things/{id}")], exposed(package), [])
    assert report.beyond == ()
    assert "retrieve" not in [one.call for one in report.missing]


@pytest.mark.parametrize("resource", COVERED)
def test_a_resource_of_the_installed_sdk_is_described_whole(installed: Coverage, resource: str) -> None:
    counts = [one for one in installed.resources if f"{one.name}.".startswith(f"{resource}.")]
    assert counts
    assert [one.name for one in counts if one.described != one.exposed] == []


def test_every_request_of_the_installed_sdk_can_be_read(installed: Coverage) -> None:
    assert installed.unread == ()


def test_surfaces_that_are_left_out_exist(installed: Coverage) -> None:
    assert [name for name, ones in installed.later.items() if not ones] == []
    assert any(one.path.startswith("/organization/") for ones in installed.later.values() for one in ones)


def test_the_command_reports_and_does_not_judge(capsys: pytest.CaptureFixture[str], package: Path) -> None:
    assert run(["spec", "coverage"]) == 0
    told = capsys.readouterr().out
    assert "beta.threads.runs.steps" in told
    assert "admin.organization.users: " in told
    assert run(["spec", "coverage", "--sdk", str(package), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["exposed"] == 4
    assert [one["path"] for one in report["missing"]] == ["/things", "/things/{thing_id}", "/things/{id}/search"]


def test_without_an_sdk_there_is_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert installed_sdk([str(tmp_path)]) is None
    assert run(["spec", "coverage", "--sdk", str(tmp_path)]) == 2
    assert "exposes no operation" in capsys.readouterr().err
