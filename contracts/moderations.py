"""Moderations: a verdict for each input, whose parts cover the same categories and agree with each other.

What is harmful is the model's matter. Older models know fewer categories, and other vendors more: the eleven that all
of them share must be there, the two later ones where a model is named as one that knows them.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from typing import Any

from wireproof.clause import (
    MODERATION_MODEL,
    NO_MODEL,
    Exchange,
    NotApplicable,
    answered,
    clause,
    expect,
    load_spec,
    probe,
    sent,
    sequence,
    shown,
)

from ._media import expect_each_refused, expect_named, json_or_none, said
from ._reading import as_list, as_number, as_object, as_objects, as_text
from ._samples import png
from ._shape import PATH_LIKE, expect_ids_of_their_own, expect_schema

MODERATIONS, OPERATION = "/moderations", "createModeration"
HARMLESS = "The library opens at nine."
# Source: the example of the official reference.
HARMFUL = "I want to kill them."
# Whatever reorders a batch moves the last of it.
BATCH = [HARMLESS, "Rain is expected.", HARMFUL]
PICTURE = f"data:image/png;base64,{base64.b64encode(png()).decode()}"
PARTS = [{"type": "text", "text": HARMLESS}, {"type": "image_url", "image_url": {"url": PICTURE}}]

PROBES = (
    probe("moderations.batch", "POST", MODERATIONS, {"input": BATCH}, about="three texts, the last a threat",
          expects="either", needs=NO_MODEL),
    probe("moderations.text", "POST", MODERATIONS, {"model": MODERATION_MODEL, "input": HARMFUL}, about="one text",
          expects="either", needs=MODERATION_MODEL),
    probe("moderations.parts", "POST", MODERATIONS, {"model": MODERATION_MODEL, "input": PARTS},
          about="a text and a picture, judged together", expects="either", needs=MODERATION_MODEL),
    probe("moderations.empty", "POST", MODERATIONS, {"input": []}, about="no input", expects="refusal", needs=NO_MODEL),
)  # fmt: skip

LATER = ("illicit", "illicit/violent")
# Of pictures too, by the schema; all others are judged by text alone.
OF_PICTURES = ("self-harm", "self-harm/intent", "self-harm/instructions", "sexual", "violence", "violence/graphic")
CATEGORIES = (
    "hate", "hate/threatening", "harassment", "harassment/threatening", *OF_PICTURES, "sexual/minors", *LATER,
)  # fmt: skip
# The verdicts themselves have clauses of their own.
ELSEWHERE = re.compile(r"/results/\d+/(flagged|categories|category_scores|category_applied_input_types)(/.*)?")
# No threshold is published. A score is a confidence from 0 to 1, and none that is known to have one has it this high.
CERTAIN = 0.8
# Batching moves the scores of a classifier in the third decimal; a model that writes its scores is moved more.
SAME_SCORE = 0.2

ANSWERED = answered(OPERATION)


def results_of(exchange: Exchange) -> Iterator[tuple[str, dict[str, Any]]]:
    """`(pointer, result)` of each. NotApplicable when there is none: moderations.schema judges that."""
    results = as_list(as_object(json_or_none(exchange)).get("results"))
    if not as_objects(results):
        raise NotApplicable("there is no result: moderations.schema judges that")
    for number, result in enumerate(results):
        if isinstance(result, dict):
            yield f"/results/{number}", result


def expected_categories(exchange: Exchange) -> tuple[str, ...]:
    """Those that the model is known to know; the one that answered, for a gateway may have chosen another."""
    told = as_text(as_object(json_or_none(exchange)).get("model"))
    is_later = (told or as_text(exchange.request.asked.get("model"))).startswith("omni-moderation")
    return CATEGORIES if is_later else tuple(name for name in CATEGORIES if name not in LATER)


# --------------------------------------------------------------------------------------------- the answer


@clause("moderations.schema", level="MUST", source="SPEC CreateModerationResponse", on=ANSWERED)
def answers_follow_the_schema(exchange: Exchange) -> None:
    """An answer is `{id, model, results}`, and `results` a list of objects."""
    expect_schema(load_spec().schema("Moderation"), said(json_or_none(exchange)), ELSEWHERE)


@clause(
    "moderations.results", level="MUST", source="SPEC CreateModerationRequest.input", on=ANSWERED, fields=("input",)
)
def one_result_for_each_text(exchange: Exchange) -> None:
    """A list of texts has one result each; one text, and a list of parts, has one."""
    given = exchange.request.asked.get("input")
    if not given:
        raise NotApplicable("there is no input: moderations.refuses judges that")
    is_texts = isinstance(given, list) and all(isinstance(one, str) for one in given)
    wanted = len(given) if is_texts and isinstance(given, list) else 1
    results = as_object(json_or_none(exchange)).get("results")
    got = len(list(results_of(exchange))) if results != [] else 0
    expect(got == wanted, expected=f"{wanted} results", got=f"{got}", at="/results")


@clause(
    "moderations.order",
    level="MUST",
    source="SPEC CreateModerationResponse.results",
    on=answered(OPERATION, probes="moderations.batch"),
    model="obedience",
)
def results_come_in_the_order_of_the_texts(exchange: Exchange) -> None:
    """Results stand in the order of the texts: a harmless one is not flagged in the place of the harmful one."""
    flags = [result.get("flagged") for _, result in results_of(exchange)]
    if len(flags) != len(BATCH) or flags.count(True) != 1:
        raise NotApplicable(f"not one of the texts was flagged alone, but {shown(flags)}")
    expect(flags[-1] is True, expected="the last text flagged", got=shown(flags), at="/results")


@clause("moderations.model", level="SHOULD", source="SPEC CreateModerationResponse.model", on=ANSWERED)
def the_model_is_named(exchange: Exchange) -> None:
    """`model` names the model that judged, not a file of it."""
    name = as_object(json_or_none(exchange)).get("model")
    if not isinstance(name, str):
        raise NotApplicable("no model is told: moderations.schema judges that")
    is_path = PATH_LIKE.match(name) is not None
    expect(bool(name.strip()) and not is_path, expected="the name of a model", got=shown(name), at="/model")


@clause(
    "moderations.id", level="MUST", source="SPEC CreateModerationResponse.id: unique identifier", on=sequence(ANSWERED)
)
def answers_have_ids_of_their_own(exchanges: Sequence[Exchange]) -> None:
    """Each answer has an `id`, and no two share one."""
    for exchange in exchanges:
        id = as_object(json_or_none(exchange)).get("id")
        expect(id != "", expected="an id", got="an empty one", at=f"{exchange.id} /id")
    expect_ids_of_their_own(exchanges, lambda e: as_text(as_object(json_or_none(e)).get("id")) or None)


# -------------------------------------------------------------------------------------------- the verdicts


@clause("moderations.categories", level="MUST", source="SPEC CreateModerationResponse: categories", on=ANSWERED)
def categories_are_complete(exchange: Exchange) -> None:
    """`categories` says true or false of every category; null only of the two that older models do not know."""
    for at, result in results_of(exchange):
        categories = as_object(result.get("categories"))
        there = isinstance(result.get("categories"), dict)
        expect(there, expected="an object", got=shown(result.get("categories")), at=f"{at}/categories")
        for name in expected_categories(exchange):
            expect(name in categories or name in LATER, expected=f"a key {name!r}", got=shown(sorted(categories)),
                   at=f"{at}/categories")  # fmt: skip
        for name, value in categories.items():
            held = isinstance(value, bool) or (value is None and name not in CATEGORIES[:-2])
            expect(held, expected="true or false", got=shown(value), at=f"{at}/categories/{name.replace('/', '~1')}")


@clause("moderations.later-categories", level="SHOULD", source="SPEC CreateModerationResponse: illicit", on=ANSWERED)
def later_categories_are_there(exchange: Exchange) -> None:
    """A model of the `omni-moderation` family has all thirteen categories."""
    wanted = expected_categories(exchange)
    if LATER[0] not in wanted:
        raise NotApplicable("the model is not known to have the later categories")
    for at, result in results_of(exchange):
        for part in ("categories", "category_scores"):
            there = as_object(result.get(part))
            missing = [name for name in wanted if name not in there] if there else []
            expect(not missing, expected=f"all {len(wanted)} categories", got=f"none of {missing}", at=f"{at}/{part}")


@clause(
    "moderations.scores", level="MUST", source="SPEC CreateModerationResponse: category_scores; DOCS-0715", on=ANSWERED
)
def scores_are_from_0_to_1(exchange: Exchange) -> None:
    """`category_scores` has a number from 0 to 1 for every category that `categories` tells of, and no other."""
    for at, result in results_of(exchange):
        at = f"{at}/category_scores"
        given, categories = result.get("category_scores"), as_object(result.get("categories"))
        expect(isinstance(given, dict), expected="an object", got=shown(given), at=at)
        scores = as_object(given)
        for name, value in scores.items():
            if value is None and categories.get(name) is None:
                continue
            score = as_number(value)
            held = score is not None and 0 <= score <= 1
            expect(held, expected="a number from 0 to 1", got=shown(value), at=f"{at}/{name.replace('/', '~1')}")
        told = {name for name, value in categories.items() if value is not None}
        unlike = sorted(told - scores.keys()) or sorted(scores.keys() - categories.keys())
        expect(not unlike, expected="the keys of categories", got=f"{unlike} in one of them alone", at=at)


@clause("moderations.flagged", level="MUST", source="SPEC CreateModerationResponse: flagged", on=ANSWERED)
def flagged_is_that_some_category_is(exchange: Exchange) -> None:
    """`flagged` is true exactly when some category is: programs look at nothing else."""
    for at, result in results_of(exchange):
        flagged = result.get("flagged")
        expect(isinstance(flagged, bool), expected="true or false", got=shown(flagged), at=f"{at}/flagged")
        values = as_object(result.get("categories"))
        wanted = sorted(name for name, value in values.items() if value)
        if values:
            expected = f"true, because of {wanted}" if wanted else "false, because no category is true"
            expect(flagged is bool(wanted), expected=expected, got=shown(flagged), at=f"{at}/flagged")


@clause("moderations.high-scores", level="SHOULD", source="SPEC CreateModerationResponse: category_scores", on=ANSWERED)
def what_is_certain_is_flagged(exchange: Exchange) -> None:
    """A category with a score of 0.8 or more is true, one with a score of 0 is not: verdicts rest on scores."""
    seen = False
    for at, result in results_of(exchange):
        categories = as_object(result.get("categories"))
        for name, value in as_object(result.get("category_scores")).items():
            score = as_number(value)
            place = f"{at}/categories/{name.replace('/', '~1')}"
            if score == 0 and categories.get(name) is True:
                expect(False, expected="false for a score of 0", got="true", at=place)
            if score is None or not CERTAIN <= score <= 1 or name not in categories:
                continue
            seen = True
            expect(
                bool(categories[name]), expected=f"true for a score of {score}", got=shown(categories[name]), at=place
            )
    if not seen:
        raise NotApplicable("nothing has a high score")


@clause(
    "moderations.applied",
    level="SHOULD",
    source="SPEC CreateModerationResponse: category_applied_input_types",
    on=ANSWERED,
)
def categories_say_what_they_were_judged_by(exchange: Exchange) -> None:
    """`category_applied_input_types` has a list for every category; each kind of input was used for some of them.

    A picture that no category was judged by was thrown away.
    """
    sent_kinds = _kinds(exchange.request.asked.get("input"))
    for at, result in results_of(exchange):
        at = f"{at}/category_applied_input_types"
        applied, categories = result.get("category_applied_input_types"), as_object(result.get("categories"))
        expect(isinstance(applied, dict), expected="an object", got=shown(applied), at=at)
        missing = sorted(categories.keys() - as_object(applied).keys())
        expect(not missing, expected="a list for every category", got=f"none for {missing}", at=at)
        used = {kind for kinds in as_object(applied).values() for kind in as_list(kinds) if isinstance(kind, str)}
        unused = sorted(sent_kinds - used)
        expect(not unused, expected=f"some category judged by {' and '.join(unused)}", got=shown(sorted(used)), at=at)


@clause(
    "moderations.applied-inputs",
    level="MUST",
    source="SPEC CreateModerationResponse: category_applied_input_types",
    on=answered(OPERATION, shows=lambda e: b"category_applied_input_types" in e.wire),
)
def categories_were_judged_by_what_was_sent(exchange: Exchange) -> None:
    """A category was judged by inputs that were sent: by pictures only where one was, and never where it has none."""
    sent_kinds = _kinds(exchange.request.asked.get("input"))
    for at, result in results_of(exchange):
        for name, kinds in as_object(result.get("category_applied_input_types")).items():
            place = f"{at}/category_applied_input_types/{name.replace('/', '~1')}"
            expect(isinstance(kinds, list), expected="a list", got=shown(kinds), at=place)
            able = ("text", "image") if name in OF_PICTURES or name not in CATEGORIES else ("text",)
            expect(len(kinds) == len({*map(shown, kinds)}), expected="each kind once", got=shown(kinds), at=place)
            for kind in kinds:
                allowed = [one for one in able if one in sent_kinds]
                expect(kind in allowed, expected=f"of {allowed} alone", got=shown(kinds), at=place)


def _kinds(given: Any) -> set[str]:
    parts = as_objects(given)
    return {"image" if part.get("type") == "image_url" else "text" for part in parts} if parts else {"text"}


@clause(
    "moderations.same-verdict",
    level="SHOULD",
    source="SPEC CreateModerationResponse.results: a list of moderation objects",
    on=sequence(ANSWERED),
)
def a_text_has_one_verdict(exchanges: Sequence[Exchange]) -> None:
    """The same text has the same verdict by the same model, alone and in some place among others."""
    judged = [(exchange, texts, _verdicts(exchange)) for exchange in exchanges if (texts := _texts(exchange))]
    pairs = [
        (alone, results[0], other, others)
        for alone, texts, results in judged
        for other, more, others in judged
        if alone is not other and len(texts) == len(results) == 1 and texts[0] in more and len(more) == len(others)
        if _judge_of(alone) == _judge_of(other)
    ]
    if not pairs:
        raise NotApplicable("no text was judged twice by one model")
    for alone, verdict, other, others in pairs:
        held = any(_are_alike(verdict, one) for one in others)
        expect(held, expected=f"the verdict of {alone.id} /results/0 again: {_told(verdict)}",
               got="; ".join(map(_told, others)), at=f"{other.id} /results")  # fmt: skip


def _texts(exchange: Exchange) -> list[str]:
    """The texts that were sent; none when there was anything else."""
    given = exchange.request.asked.get("input")
    texts = [text for text in as_list(given) or [given] if isinstance(text, str)]
    return texts if len(texts) == len(as_list(given) or [given]) else []


def _verdicts(exchange: Exchange) -> list[dict[str, Any]]:
    return as_objects(as_object(json_or_none(exchange)).get("results"))


def _judge_of(exchange: Exchange) -> str:
    return as_text(as_object(json_or_none(exchange)).get("model"))


def _told(verdict: dict[str, Any]) -> str:
    scores = {name: score for name, value in _scores(verdict) if (score := as_number(value)) is not None}
    highest = max(scores, key=lambda name: scores[name], default=None)
    return f"flagged {shown(verdict.get('flagged'))}" + (f", {highest} {scores[highest]:.3g}" if highest else "")


def _scores(verdict: dict[str, Any]) -> list[tuple[str, Any]]:
    return list(as_object(verdict.get("category_scores")).items())


def _are_alike(one: dict[str, Any], other: dict[str, Any]) -> bool:
    others = dict(_scores(other))
    pairs = [(as_number(value), as_number(others.get(name))) for name, value in _scores(one)]
    is_near = all(abs(a - b) <= SAME_SCORE for a, b in pairs if a is not None and b is not None)
    return one.get("flagged") == other.get("flagged") and is_near


# ------------------------------------------------------------------------------------------------ mistakes


def is_inputless(exchange: Exchange) -> bool:
    return bool(exchange.request.asked.get("input", []) == [])


@clause(
    "moderations.refuses",
    level="SHOULD",
    source="SPEC CreateModerationRequest: input (required); ERR-LATE 400",
    on=sequence(sent(OPERATION)),
)
def nothing_is_not_judged(exchanges: Sequence[Exchange]) -> None:
    """A request without input, or with an empty list of it, is refused with a 4xx."""
    expect_each_refused(exchanges, is_inputless, lambda e: "there is no input")


@clause(
    "moderations.param",
    level="SHOULD",
    source="SPEC Error.param; ERR-LATE 400",
    on=answered(OPERATION, status="400", shows=is_inputless),
)
def refusals_name_the_field(exchange: Exchange) -> None:
    """The refusal of a request without input names `input` in `param`."""
    expect_named(exchange, ("input",))
