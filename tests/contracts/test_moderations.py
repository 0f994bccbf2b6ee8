"""Clauses of moderations: the verdict that keeps each, the nearest that breaks it, and legal ones that are unusual."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from made import answer, clauses_of, outcome_of, verdict_of

from wireproof.clause import Exchange
from wireproof.standin.moderation import CATEGORIES, verdict

MODEL = "omni-moderation-2024-09-26"
HARMLESS, HARMFUL = "The library opens at nine.", "I want to kill them."
BATCH = [HARMLESS, "Rain is expected.", HARMFUL]
MILD, HARSH = verdict(MODEL, [HARMLESS]), verdict(MODEL, [HARMFUL])
SEEN = verdict(MODEL, [HARMLESS], ["https://example.org/a.png"])
PICTURE = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}
PARTS = [{"type": "text", "text": HARMLESS}, PICTURE]


@pytest.fixture(scope="module")
def said(contract: Callable[[str], ModuleType]) -> ModuleType:
    return contract("moderations")


def judged(*results: Any, given: Any = HARMFUL, id: str = "modr-1", model: str = MODEL, **more: Any) -> Exchange:
    return told({"id": id, "model": model, "results": list(results)}, given, **more)


def told(body: Any, given: Any = HARMFUL, *, asked: str | None = "omni-moderation-latest", **more: Any) -> Exchange:
    request = {"input": given, **({"model": asked} if asked else {})}
    return answer(body, asked=request, operation="createModeration", path="/moderations", **more)


def lacking(body: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in names}


def within(result: dict[str, Any], part: str, **changed: Any) -> dict[str, Any]:
    return {**result, part: {**result[part], **changed}}


def without(result: dict[str, Any], *names: str) -> dict[str, Any]:
    """The verdict of a model that does not know these categories."""
    parts = ("categories", "category_scores", "category_applied_input_types")
    return {**result, **{part: lacking(result[part], *names) for part in parts}}


def refused(given: Any = (), status: int = 400, param: str | None = "input") -> Exchange:
    error = {"message": "no input", "type": "invalid_request_error", "param": param, "code": None}
    return told({"error": error}, list(given), asked=None, status=status)


NEVER = {**HARSH, "flagged": False, "categories": dict.fromkeys(CATEGORIES, False)}
KEPT: dict[str, tuple[Exchange, ...]] = {
    "": (judged(HARSH),),
    "results_come_in_the_order_of_the_texts": (judged(MILD, MILD, HARSH, given=BATCH, probe="moderations.batch"),),
    "answers_have_ids_of_their_own": (judged(HARSH), judged(HARSH, id="modr-2")),
    "a_text_has_one_verdict": (judged(HARSH), judged(MILD, MILD, HARSH, given=BATCH)),
    "nothing_is_not_judged": (refused(),),
    "refusals_name_the_field": (refused(),),
}
BROKEN: dict[str, tuple[str, tuple[Exchange, ...]]] = {
    "no list": ("answers_follow_the_schema", (told({"id": "1", "model": MODEL, "results": HARSH}),)),
    "no id": ("answers_follow_the_schema", (told({"model": MODEL, "results": [HARSH]}),)),
    "a bare list": ("answers_follow_the_schema", (told([HARSH]),)),
    "none at all": ("one_result_for_each_text", (judged(given=BATCH),)),
    "a kind twice": (
        "categories_were_judged_by_what_was_sent",
        (judged(within(HARSH, "category_applied_input_types", hate=["text", "text"])),),
    ),
    "an empty id": ("answers_have_ids_of_their_own", (judged(HARSH, id=""), judged(HARSH, id="modr-2"))),
    "flagged for nothing": (
        "what_is_certain_is_flagged",
        (judged({**HARSH, "category_scores": dict.fromkeys(CATEGORIES, 0.0)}),),
    ),
    "a picture thrown away": ("categories_say_what_they_were_judged_by", (judged(MILD, given=PARTS),)),
    "judged by nothing": (
        "categories_say_what_they_were_judged_by",
        (judged({**MILD, "category_applied_input_types": {name: [] for name in CATEGORIES}}),),
    ),
    "harmless among others": ("a_text_has_one_verdict", (judged(HARSH), judged(MILD, MILD, MILD, given=BATCH))),
    "another score among others": (
        "a_text_has_one_verdict",
        (judged(HARSH), judged(MILD, MILD, within(HARSH, "category_scores", violence=0.1), given=BATCH)),
    ),
    "the first alone": ("one_result_for_each_text", (judged(MILD, given=BATCH),)),
    "one for each letter": ("one_result_for_each_text", (judged(HARSH, HARSH),)),
    "one for each part": ("one_result_for_each_text", (judged(SEEN, SEEN, given=PARTS),)),
    "from the end": (
        "results_come_in_the_order_of_the_texts",
        (judged(HARSH, MILD, MILD, given=BATCH, probe="moderations.batch"),),
    ),
    "a file": ("the_model_is_named", (judged(HARSH, model="/models/guard.gguf"),)),
    "no name": ("the_model_is_named", (judged(HARSH, model=""),)),
    "the same id": ("answers_have_ids_of_their_own", (judged(HARSH), judged(HARSH))),
    "0 and 1": ("categories_are_complete", (judged(within(MILD, "categories", hate=0)),)),
    "no categories": ("categories_are_complete", (judged(lacking(HARSH, "categories")),)),
    "a category missing": ("categories_are_complete", (judged(without(HARSH, "violence/graphic")),)),
    "null of a known one": ("categories_are_complete", (judged(within(MILD, "categories", hate=None)),)),
    "a later one missing": ("later_categories_are_there", (judged(without(HARSH, "illicit")),)),
    "no scores": ("scores_are_from_0_to_1", (judged(lacking(HARSH, "category_scores")),)),
    "per cent": ("scores_are_from_0_to_1", (judged(within(HARSH, "category_scores", violence=92.5)),)),
    "below 0": ("scores_are_from_0_to_1", (judged(within(HARSH, "category_scores", violence=-0.1)),)),
    "a score that is text": ("scores_are_from_0_to_1", (judged(within(HARSH, "category_scores", violence="0.9")),)),
    "a score that is true": ("scores_are_from_0_to_1", (judged(within(HARSH, "category_scores", violence=True)),)),
    "a score missing": (
        "scores_are_from_0_to_1",
        (judged({**HARSH, "category_scores": lacking(HARSH["category_scores"], "hate")}),),
    ),
    "a score of another": ("scores_are_from_0_to_1", (judged(within(HARSH, "category_scores", spam=0.1)),)),
    "no flag": ("flagged_is_that_some_category_is", (judged(lacking(HARSH, "flagged")),)),
    "a flag without a reason": ("flagged_is_that_some_category_is", (judged({**MILD, "flagged": True}),)),
    "a reason without a flag": ("flagged_is_that_some_category_is", (judged({**HARSH, "flagged": False}),)),
    "a flag that is text": ("flagged_is_that_some_category_is", (judged({**HARSH, "flagged": "true"}),)),
    "never": ("what_is_certain_is_flagged", (judged(NEVER),)),
    "nothing applied": (
        "categories_say_what_they_were_judged_by",
        (judged(lacking(HARSH, "category_applied_input_types")),),
    ),
    "pictures of a text": (
        "categories_were_judged_by_what_was_sent",
        (judged(within(HARSH, "category_applied_input_types", violence=["text", "image"])),),
    ),
    "hate of a picture": (
        "categories_were_judged_by_what_was_sent",
        (judged(within(SEEN, "category_applied_input_types", hate=["image"]), given=PARTS),),
    ),
    "no list of kinds": (
        "categories_were_judged_by_what_was_sent",
        (judged(within(HARSH, "category_applied_input_types", violence="text")),),
    ),
    "nothing judged": ("nothing_is_not_judged", (judged(given=[]),)),
    "a server error": ("nothing_is_not_judged", (judged(HARSH), refused(status=500))),
    "no param": ("refusals_name_the_field", (refused(param=None),)),
}


def test_every_clause_has_a_pair(said: ModuleType) -> None:
    assert {one.__name__ for one in clauses_of(said)} == {clause for clause, _ in BROKEN.values()}


@pytest.mark.parametrize("case", BROKEN)
def test_a_clause_tells_the_kept_answer_from_the_broken_one(said: ModuleType, case: str) -> None:
    clause, broken = BROKEN[case]
    assert outcome_of(getattr(said, clause), *KEPT.get(clause, KEPT[""])) == "pass"
    assert outcome_of(getattr(said, clause), *broken) == "fail"


OLD = verdict("text-moderation-007", [HARMFUL], text_model=True)
LEGAL: dict[str, tuple[Exchange, ...]] = {
    "a picture": (judged(SEEN, given=PARTS),),
    "a picture alone": (judged(verdict(MODEL, [], ["https://example.org/a.png"]), given=[PICTURE]),),
    "a text in a list": (judged(HARSH, given=[HARMFUL]),),
    "another model among others": (judged(HARSH), judged(MILD, MILD, MILD, given=BATCH, model="small", id="modr-2")),
    "scores that are moved a little": (
        judged(HARSH),
        judged(MILD, MILD, within(HARSH, "category_scores", hate=0.1), given=BATCH, id="modr-2"),
    ),
    "parts of text alone": (judged(HARSH, given=PARTS[:1]),),
    "a model that knows less, with nulls": (judged(OLD, model="text-moderation-007", asked="text-moderation-latest"),),
    "a model that knows less, without": (
        judged(without(OLD, "illicit", "illicit/violent"), model="text-moderation-007", asked=None),
    ),
    "more categories": (
        judged(within(within(within(HARSH, "categories", spam=False), "category_scores", spam=0.1),
                      "category_applied_input_types", spam=["text"])),
    ),
    "ids of another shape": (judged(HARSH, id="0f2c"), judged(HARSH, id="0f2d")),
    "scores of 0 and 1": (judged(within(HARSH, "category_scores", violence=1, hate=0)),),
    "nothing applied to a category": (judged(within(HARSH, "category_applied_input_types", hate=[])),),
    "flagged at a low score": (judged(within(HARSH, "category_scores", violence=0.02)),),
    "more keys": (judged({**HARSH, "reason": "a threat"}),),
    "nothing flagged of a batch": (judged(MILD, MILD, MILD, given=BATCH, probe="moderations.batch"),),
    "not served": (refused(status=404), refused(status=501)),
    "nothing behind a gateway": (refused(status=500), refused(BATCH, status=500)),
    "throttled": (refused(status=429),),
    "refused as unprocessable": (refused(status=422, param=None),),
}  # fmt: skip


@pytest.mark.parametrize("case", LEGAL)
def test_a_legal_answer_raises_no_finding(said: ModuleType, case: str) -> None:
    found = {one.__name__: verdict_of(one, *LEGAL[case]).findings for one in clauses_of(said)}
    assert {name: findings for name, findings in found.items() if findings} == {}


MALFORMED: list[Any] = [[], 5, None, {"results": 5}, {"results": [3, {}]},
                        {"results": [{"categories": [], "flagged": 1}]},
                        {"results": [{"categories": {"hate": "x"}, "category_scores": {"hate": []},
                                      "category_applied_input_types": {"hate": [[]]}}]}]  # fmt: skip


@pytest.mark.parametrize("body", MALFORMED, ids=str)
def test_no_clause_stumbles_over_a_malformed_answer(said: ModuleType, body: Any) -> None:
    for given in (HARMFUL, BATCH, PARTS, [], None):
        for clause in clauses_of(said):
            exchange = told(body, given, probe="moderations.batch")
            assert "the clause itself failed" not in verdict_of(clause, exchange).reason


def test_what_was_taken_without_an_input_counts_once(contract: Callable[[str], ModuleType]) -> None:
    taken, clauses = told({"id": "1", "model": MODEL, "results": [MILD]}, []), contract("moderations")
    assert outcome_of(clauses.one_result_for_each_text, taken) == "not-applicable"
    assert outcome_of(clauses.nothing_is_not_judged, taken) == "fail"
