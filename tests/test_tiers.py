from __future__ import annotations

import pytest

from wireproof.tiers import Limits, group_of, limits, tiers


def test_published_limits_are_read_as_they_stand() -> None:
    assert limits("tier-1", "gpt-4.1-mini") == Limits(
        "tier-1", "gpt-4o-mini", rpm=500, tpm=200_000, rpd=10_000, batch_tokens=2_000_000
    )
    assert limits("tier-5", "gpt-4.1-mini").minute_s == 60.0
    assert limits("tier-5", "gpt-4.1-mini").rpd is None


def test_a_snapshot_has_the_limits_of_its_alias() -> None:
    assert limits("tier-2", "gpt-4o-mini-2024-07-18") == limits("tier-2", "gpt-4o-mini")


def test_long_contexts_have_groups_of_their_own() -> None:
    assert group_of("gpt-5.5") == "frontier"


@pytest.mark.parametrize(
    ("tier", "model", "scale", "rpm", "tpm", "rpd", "minute_s"),
    [
        ("tier-1", "gpt-4.1-mini", 0.02, 10, 4_000, 200, 5.0),
        ("tier-1", "gpt-4.1-mini", 0.5, 250, 100_000, 5_000, 60.0),
        ("tier-5", "gpt-4.1-mini", 0.001, 30, 150_000, None, 15.0),
        ("free", "gpt-4.1-mini", 1.0, 3, 40_000, 200, 60.0),
        ("free", "gpt-4.1-mini", 0.5, 3, 40_000, 200, 1.5),
        ("tier-1", "gpt-4.1-mini", 1e-9, 3, 1_200, 60, 1.5),
    ],
)
def test_scaling_shrinks_limits_and_then_the_minute(
    tier: str, model: str, scale: float, rpm: int, tpm: int, rpd: int | None, minute_s: float
) -> None:
    found = limits(tier, model, scale)
    assert (found.rpm, found.tpm, found.rpd, found.minute_s) == (rpm, tpm, rpd, minute_s)


@pytest.mark.parametrize("scale", [0.3, 0.02, 0.005])
def test_a_short_minute_still_refills_two_requests_a_second(scale: float) -> None:
    found = limits("tier-1", "gpt-4.1-mini", scale)
    assert found.rpm is not None
    assert found.rpm / found.minute_s == pytest.approx(max(2.0, 500 * scale / 60))


def test_image_models_count_images_and_scale_by_them() -> None:
    full = limits("tier-1", "gpt-image-1")
    assert (full.rpm, full.tpm, full.ipm) == (None, 100_000, 5)
    half = limits("tier-2", "gpt-image-1", 0.5)
    assert (half.rpm, half.tpm, half.ipm, half.minute_s) == (None, 125_000, 10, 5.0)


def test_a_model_may_have_requests_alone() -> None:
    assert limits("tier-1", "sora-2") == Limits("tier-1", "sora-2", rpm=25, tpm=None)


def test_a_tier_the_group_does_not_have_names_those_it_has() -> None:
    with pytest.raises(ValueError, match=r"gpt-4o is not available on free.*tier-1, tier-2"):
        limits("free", "gpt-4o")


@pytest.mark.parametrize(
    ("tier", "model", "scale", "match"),
    [
        ("tier-9", "gpt-4o", 1.0, "no tier 'tier-9'; there are free, tier-1"),
        ("tier-1", "gpt-4.1-nano", 1.0, "no published"),
        ("tier-1", "gpt-4o", 0.0, "above 0"),
        ("tier-1", "gpt-4o", 1.5, "at most 1"),
    ],
)
def test_what_is_not_published_is_an_error(tier: str, model: str, scale: float, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        limits(tier, model, scale)


def test_tiers_are_named_lowest_first() -> None:
    assert tiers() == ("free", "tier-1", "tier-2", "tier-3", "tier-4", "tier-5")


def test_unlimited_is_beyond_every_tier_and_no_tier() -> None:
    granted = limits("unlimited", "gpt-4o-mini")
    assert (granted.rpm or 0) > 100 * max(limits(tier, "gpt-4o-mini").rpm or 0 for tier in tiers())
    assert "unlimited" not in tiers()
