"""Graders: what turns the answer of a model into a score. Those of text need no model, and cost nothing to try."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from wireproof.clause import (
    NO_MODEL,
    Exchange,
    NotApplicable,
    answered,
    clause,
    expect,
    probe,
    sent,
    shown,
)

from ._life import expect_schema, expect_turned_down
from ._reading import as_number, as_object, maybe_object

RUN, VALIDATE = "/fine_tuning/alpha/graders/run", "/fine_tuning/alpha/graders/validate"
SAID, MEANT = "A proof of the WIRE", "wire"
PLACE = re.compile(r"\{\{\s*([\w.]+)\s*\}\}")
SCALE = re.compile("rouge_.|bleu|gleu|meteor|fuzzy_match")


def _check(operation: str) -> dict[str, Any]:
    return {"type": "string_check", "name": "wireproof", "input": "{{ sample.output_text }}",
            "reference": "{{ item.word }}", "operation": operation}  # fmt: skip


SIMILARITY = {"type": "text_similarity", "name": "wireproof", "input": "{{ sample.output_text }}",
              "reference": "{{ item.text }}", "evaluation_metric": "fuzzy_match"}  # fmt: skip


def _run(grader: dict[str, Any], said: str, **item: str) -> dict[str, Any]:
    return {"grader": grader, "model_sample": said, "item": item}


PROBES = [
    probe("fine-tuning.graders.validate", "POST", VALIDATE, {"grader": _check("ilike")}, needs=NO_MODEL,
          about="whether a grader could be used", expects="either"),
    probe("fine-tuning.graders.validate-wrong", "POST", VALIDATE, {"grader": _check("wireproof")}, needs=NO_MODEL,
          about="a grader with an operation that there is not", expects="refusal"),
    # The same texts, and letters in another case: one check must say no, the other yes.
    probe("fine-tuning.graders.equal", "POST", RUN, _run(_check("eq"), "WIRE", word=MEANT), needs=NO_MODEL,
          about="whether two texts are the same", expects="either"),
    probe("fine-tuning.graders.within", "POST", RUN, _run(_check("ilike"), SAID, word=MEANT), needs=NO_MODEL,
          about="whether a text holds another, in any case", expects="either"),
    probe("fine-tuning.graders.alike", "POST", RUN, _run(SIMILARITY, "a proof of wires", text="the proof of a wire"),
          needs=NO_MODEL, about="how alike two texts are", expects="either"),
]  # fmt: skip


# ------------------------------------------------------------------------------------------------ reading


def _grader(exchange: Exchange) -> dict[str, Any]:
    return as_object(exchange.request.asked.get("grader"))


def _texts(exchange: Exchange) -> tuple[str, str]:
    """`input` and `reference` of the grader, filled in. NotApplicable when a template is more than a name."""
    asked, grader = exchange.request.asked, _grader(exchange)
    names = {"item": asked.get("item"), "sample": {"output_text": asked.get("model_sample")}}

    def fill(found: re.Match[str]) -> str:
        value: Any = names
        for key in found[1].split("."):
            value = as_object(value).get(key)
        if not isinstance(value, str):
            raise NotApplicable(f"{found[0]} is no plain text")
        return value

    filled = [PLACE.sub(fill, str(grader.get(name))) for name in ("input", "reference")]
    if any("{{" in text or "{%" in text for text in filled):
        raise NotApplicable("a template that is more than names")
    return filled[0], filled[1]


def _errors(exchange: Exchange) -> list[str]:
    told = as_object(as_object(maybe_object(exchange).get("metadata")).get("errors"))
    return [name for name, value in told.items() if value is True]


def _is(name: str, value: str) -> Callable[[dict[str, Any]], bool]:
    return lambda asked: as_object(asked.get("grader")).get(name) == value


def _is_of_text(asked: dict[str, Any]) -> bool:
    return as_object(asked.get("grader")).get("type") in ("string_check", "text_similarity")


# ------------------------------------------------------------------------------------------------ clauses


@clause("fine-tuning.graders.schema", level="MUST", source="SPEC RunGraderResponse, ValidateGraderResponse",
        on=answered("runGrader", "validateGrader"))  # fmt: skip
def answers_follow_the_schema(exchange: Exchange) -> None:
    """A run of a grader tells the `reward` as a number, and how it came about; a validation tells the grader."""
    expect_schema(exchange)


@clause("fine-tuning.graders.validate", level="MUST", source="SPEC ValidateGraderResponse.grader",
        on=answered("validateGrader"), fields=("grader",))  # fmt: skip
def a_validated_grader_comes_back(exchange: Exchange) -> None:
    """A grader that could be used comes back as it was sent; it may have more fields."""
    told = as_object(maybe_object(exchange).get("grader"))
    if not told:
        raise NotApplicable("the answer has no grader, which is optional")
    for name, value in _grader(exchange).items():
        expect(told.get(name) == value, expected=f"{name} {shown(value)}", got=shown(told.get(name)),
               at=f"/grader/{name}")  # fmt: skip


@clause("fine-tuning.graders.refused", level="MUST", source="SPEC GraderStringCheck.operation; ERR-LATE 400",
        on=sent("validateGrader", asks=_is("operation", "wireproof")))  # fmt: skip
def an_unknown_operation_is_refused(exchange: Exchange) -> None:
    """A string check with an operation that there is not is refused with 400, or 422."""
    if exchange.status == 404:
        raise NotApplicable("graders are not served")
    expect_turned_down(exchange)


@clause("fine-tuning.graders.errors", level="MUST", source="SPEC RunGraderResponse.metadata.errors",
        on=answered("runGrader", asks=_is_of_text), fields=("model_sample", "item"))  # fmt: skip
def what_can_be_graded_is_no_error(exchange: Exchange) -> None:
    """A grader of texts whose templates can all be filled makes no error: every flag of `errors` is false."""
    _texts(exchange)
    wrong = _errors(exchange)
    expect(not wrong, expected="no error: every name of the templates was given", got=shown(wrong),
           at="/metadata/errors")  # fmt: skip


CHECKS: Mapping[str, Callable[[str, str], bool]] = {
    "eq": lambda text, reference: text == reference,
    "ne": lambda text, reference: text != reference,
    "like": lambda text, reference: reference in text,
    "ilike": lambda text, reference: reference.lower() in text.lower(),
}


@clause("fine-tuning.graders.string-check", level="MUST", source="SPEC GraderStringCheck; DOCS-0715 graders",
        on=answered("runGrader", asks=_is("type", "string_check")),
        fields=("grader", "model_sample", "item"))  # fmt: skip
def a_string_check_is_passed_or_not(exchange: Exchange) -> None:
    """A string check gives 1 when it is passed, else 0: `eq` by the same text, `ilike` by one that holds it."""
    text, reference = _texts(exchange)
    operation = str(_grader(exchange).get("operation"))
    if operation not in CHECKS or _errors(exchange):
        raise NotApplicable("a check that we do not know, or that could not be made")
    wanted, reward = float(CHECKS[operation](text, reference)), maybe_object(exchange).get("reward")
    expect(as_number(reward) == wanted, expected=f"reward {wanted:g}: {text!r} {operation} {reference!r}",
           got=shown(reward), at="/reward")  # fmt: skip


@clause("fine-tuning.graders.similarity", level="MUST", source="SPEC GraderTextSimilarity; DOCS-0715 graders",
        on=answered("runGrader", asks=_is("type", "text_similarity")),
        fields=("grader", "model_sample", "item"))  # fmt: skip
def similarity_is_a_share(exchange: Exchange) -> None:
    """How alike two texts are is told from 0 to 1; the same text is 1, another one less."""
    text, reference = _texts(exchange)
    metric = str(_grader(exchange).get("evaluation_metric"))
    if not SCALE.fullmatch(metric) or _errors(exchange):
        raise NotApplicable("a metric of another scale, or one that could not be had")
    reward = as_number(maybe_object(exchange).get("reward"))
    if reward is None:
        raise NotApplicable("there is no reward: fine-tuning.graders.schema judges that")
    expect(0 <= reward <= 1, expected="a reward from 0 to 1", got=reward, at="/reward")
    if metric == "fuzzy_match" and text.lower() != reference.lower():
        expect(reward < 1, expected=f"less than 1 for {text!r} and {reference!r}", got=reward, at="/reward")
        return
    if text == reference and len(text.split()) > 4:
        expect(reward > 0.9, expected="1 for the same text", got=reward, at="/reward")


@clause("fine-tuning.graders.told", level="SHOULD", source="SPEC RunGraderResponse.metadata", on=answered("runGrader"))
def a_run_names_its_grader(exchange: Exchange) -> None:
    """`metadata` of a run has the `name` and `type` of the grader that was run."""
    told, grader = as_object(maybe_object(exchange).get("metadata")), _grader(exchange)
    if not told:
        raise NotApplicable("there is no metadata: fine-tuning.graders.schema judges that")
    for name in ("name", "type"):
        expect(told.get(name) == grader.get(name), expected=f"{name} {shown(grader.get(name))}",
               got=shown(told.get(name)), at=f"/metadata/{name}")  # fmt: skip
