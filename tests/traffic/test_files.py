"""What workers write is what is read back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pushed import sample, worker_run

from wireproof.traffic.keepsake import Keepsake, read_exchanges
from wireproof.traffic.run import cleared, joined, read_runs
from wireproof.traffic.sample import SampleFile, line, read_samples
from wireproof.traffic.settings import BadSettings, Settings, from_environ, read_settings


def test_a_sample_survives_its_file(tmp_path: Path) -> None:
    file = SampleFile(tmp_path / "samples-0.jsonl")
    file.add(sample(3, 1.25))
    file.flush()
    file.add(sample(4, 2.5, request_id="req_1", limits={"x-ratelimit-limit-requests": "3"}))
    file.close()
    got = list(read_samples([file.path]))
    assert file.written == len(got) == 2
    assert [one.number for one in got] == [3, 4]
    assert got[0].ttft_ms == pytest.approx(100.0, abs=0.002)
    assert got[1].limits == {"x-ratelimit-limit-requests": "3"}


def test_a_torn_last_line_is_not_a_sample(tmp_path: Path) -> None:
    path = tmp_path / "samples-0.jsonl"
    path.write_text(line(sample(1)) + line(sample(2))[:40])
    assert [one.number for one in read_samples([path])] == [1]


def test_spans_of_workers_join_from_the_first_to_the_last(tmp_path: Path) -> None:
    one = worker_run([sample(0)])
    two = replace(one, worker=1, spans=tuple(replace(span, ended=11.0) for span in one.spans))
    one.write(tmp_path)
    two.write(tmp_path)
    runs = read_runs(tmp_path)
    assert runs == (one, two)
    assert (joined(runs)[0].ended, joined(runs)[0].scheduled) == (11.0, 2)


def test_a_new_run_does_not_count_what_an_old_one_left(tmp_path: Path) -> None:
    folder = cleared(tmp_path)
    worker_run([sample(0)]).write(folder)
    cleared(tmp_path)
    assert read_runs(folder) == ()


def test_a_kept_exchange_is_one_that_clauses_can_judge(tmp_path: Path) -> None:
    kept = Keepsake("/chat/completions", b'{"model": "m"}')
    kept.opened(sample(7, 1.0), [("content-type", "application/json"), ("x-ratelimit-limit-requests", "3")])
    kept.took(1.2, b'{"choices": []}')
    broken = Keepsake("/chat/completions", b"{}")
    broken.opened(sample(8, 2.0), [])
    kept.whole = True
    (tmp_path / "exchanges-0.jsonl").write_text(broken.line() + kept.line())
    (got,) = read_exchanges(tmp_path, began_unix=1000.0)
    assert (got.operation, got.status, got.json) == ("createChatCompletion", 200, {"choices": []})
    assert got.header("X-RateLimit-Limit-Requests") == "3"
    assert got.started_unix == pytest.approx(1001.001)
    assert all(name != "authorization" for name, _ in got.request.headers)


def test_settings_survive_environment_and_file(tmp_path: Path) -> None:
    settings = Settings("steady", "http://127.0.0.1:1/v1", "m", scale=0.02, users=3, seed=7, stand_in=True)
    assert from_environ(settings.environ()) == settings
    settings.write(tmp_path)
    assert read_settings(tmp_path) == settings


def test_settings_that_are_missing_or_unreadable_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="WIREPROOF_PROFILE is not set"):
        from_environ({})
    with pytest.raises(BadSettings, match=r"WIREPROOF_SCALE: cannot read 'x'"):
        from_environ({"WIREPROOF_PROFILE": "steady", "WIREPROOF_BASE_URL": "u", "WIREPROOF_SCALE": "x"})
    with pytest.raises(BadSettings, match=r"settings\.json"):
        read_settings(tmp_path)


def test_a_tier_that_is_not_granted_is_refused_in_one_line() -> None:
    with pytest.raises(BadSettings, match="not available on free"):
        Settings("tier-free", "u", "gpt-4o").plan()


def test_only_one_worker_can_end_a_stage_at_the_first_refusal() -> None:
    with pytest.raises(BadSettings, match="only one worker"):
        Settings("tier-1", "u", workers=2).plan()
