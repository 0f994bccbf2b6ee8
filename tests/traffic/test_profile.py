"""Profiles are read strictly, and plans are worked out from them."""

from __future__ import annotations

from pathlib import Path

import pytest

from wireproof.traffic.plan import Ceiling, charge, make_plan
from wireproof.traffic.profile import BadProfile, Profile, find_profile, profiles, read_profile

TIER_1 = Ceiling("tier-1", "m", 500, 500_000, None, 60.0)


def profile(**changes: object) -> Profile:
    base: dict[str, object] = {
        "name": "x",
        "summary": "s",
        "arrivals": {"closed": {"users": 2}},
        "stages": [{"name": "hold", "for_s": 1}],
    }
    return Profile.model_validate(base | changes)


def broken(tmp_path: Path, text: str) -> str:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(BadProfile) as bad:
        read_profile(path)
    said = str(bad.value)
    assert "\n" not in said
    assert "mine.yaml" in said
    return said


GOOD = "name: x\nsummary: s\narrivals: {closed: {users: 2}}\nstages: [{name: hold, for_s: 1}]\n"


def test_an_unknown_field_is_named(tmp_path: Path) -> None:
    assert "arrivals.closed.user" in broken(tmp_path, GOOD.replace("users", "user"))


def test_a_threshold_on_an_unknown_figure_is_refused(tmp_path: Path) -> None:
    assert "no figures called 'ttfb_ms'" in broken(tmp_path, GOOD + "thresholds: [ttfb_ms.p95 < 3]\n")


def test_a_threshold_on_an_unknown_stage_is_refused(tmp_path: Path) -> None:
    assert "stages are hold" in broken(tmp_path, GOOD + 'thresholds: ["ttft_ms.p95 < 3 @warm"]\n')


def test_broken_yaml_is_one_line(tmp_path: Path) -> None:
    assert "not YAML" in broken(tmp_path, "a: [1,\n b: {")


def test_a_list_is_no_profile(tmp_path: Path) -> None:
    assert "expected a mapping, got list" in broken(tmp_path, "- 1")


def test_a_share_of_a_limit_needs_a_tier(tmp_path: Path) -> None:
    said = broken(tmp_path, GOOD.replace("{closed: {users: 2}}", "{open: {of_limit: 0.9}}"))
    assert "names no tier" in said


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(BadProfile, match=r"there are .*smoke"):
        find_profile("smok")


@pytest.mark.parametrize("name", profiles())
def test_every_profile_that_comes_along_reads(name: str) -> None:
    got = find_profile(name)
    assert got.name == name
    assert got.thresholds


def test_the_limit_that_binds_sets_the_rate() -> None:
    open_ = {"open": {"of_limit": 0.9}}
    small = make_plan(profile(tier="tier-1", arrivals=open_, mix=[{"max_tokens": 10}]), model="m", ceiling=TIER_1)
    large = make_plan(profile(tier="tier-1", arrivals=open_, mix=[{"max_tokens": 4000}]), model="m", ceiling=TIER_1)
    assert small.legs[0].rate_rps == pytest.approx(0.9 * 500 / 60)
    assert small.legs[0].binding == "rpm"
    assert large.legs[0].rate_rps == pytest.approx(0.9 * 125 / 60)
    assert large.legs[0].binding == "tpm"


def test_the_corner_is_tpm_over_rpm() -> None:
    plan = make_plan(profile(tier="tier-1", mix=[{"max_tokens_of_corner": 2}]), model="m", ceiling=TIER_1)
    assert plan.legs[0].items[0].max_tokens == 2000


def test_a_stage_lasts_until_the_limit_has_admitted_enough() -> None:
    stage = {"name": "hold", "for_s": 5, "for_admissions": 100}
    got = profile(tier="tier-1", arrivals={"open": {"of_limit": 1.3}}, mix=[{"max_tokens": 9}], stages=[stage])
    assert make_plan(got, model="m", ceiling=TIER_1).legs[0].for_s == pytest.approx(12.0)


def test_a_shortened_minute_raises_the_rate() -> None:
    quick = Ceiling("free", "m", 3, 40_000, 200, 1.0)
    assert quick.admitted_rps(10) == 3.0


def test_the_charge_is_the_greater_of_cap_and_prompt() -> None:
    items = profile(mix=[{"max_tokens": 5, "prompt_tokens": 40}, {"max_tokens": 50, "prompt": "hi"}]).mix
    assert [charge(item) for item in items] == [40, 50]


def test_users_override_reaches_closed_stages_only() -> None:
    assert make_plan(profile(), model="m", users=9).legs[0].users == 9
    with pytest.raises(BadProfile, match="is not closed"):
        make_plan(profile(arrivals={"open": {"rate_rps": 1}}), model="m", users=9)


def test_duration_override_leaves_warm_up_alone() -> None:
    stages = [{"name": "warm-up", "for_s": 2, "judged": False}, {"name": "hold", "for_s": 5}]
    got = make_plan(profile(stages=stages), model="m", duration_s=33)
    assert [leg.for_s for leg in got.legs] == [2, 33]
