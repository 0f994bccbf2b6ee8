"""What is not supported is refused: the answers that keep it, and those that break it."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest
from made import answer, outcome_of

from wireproof.clause import Exchange


@pytest.fixture(scope="module")
def unsupported(contract: Callable[[str], ModuleType]) -> Callable[..., None]:
    found: Callable[..., None] = contract("media_served").what_is_not_supported_is_refused
    return found


def said(status: int, probe: str = "speech.wav", operation: str = "createSpeech") -> Exchange:
    return answer({"error": {"message": "no"}}, operation=operation, probe=probe, status=status)


SERVED = said(200, "speech.default")


@pytest.mark.parametrize("status", [400, 404, 422, 501, 502, 503, 429])
def test_a_refusal_is_fine(unsupported: Callable[..., None], status: int) -> None:
    assert outcome_of(unsupported, SERVED, said(status)) == "pass"


def test_a_server_error_is_not(unsupported: Callable[..., None]) -> None:
    assert outcome_of(unsupported, SERVED, said(500)) == "fail"


def test_an_operation_that_always_fails_is_not_served(unsupported: Callable[..., None]) -> None:
    assert outcome_of(unsupported, said(500, "speech.default"), said(500)) == "not-applicable"
    assert outcome_of(unsupported, SERVED, said(500, "images.url", "createImage")) == "pass"


def test_mistakes_are_judged_elsewhere(unsupported: Callable[..., None]) -> None:
    assert outcome_of(unsupported, SERVED, said(500, "speech.empty")) == "pass"


def test_the_probes_that_are_right_are_those_that_expect_no_refusal(contract: Callable[[str], ModuleType]) -> None:
    from certified import contents_of_contracts

    module = contract("media_served")
    areas = tuple({probe.partition(".")[0] + "." for probe in module.RIGHT})
    right = {p.id for p in contents_of_contracts()[1] if p.id.startswith(areas) and p.expects != "refusal"}
    assert set(module.RIGHT) == right
