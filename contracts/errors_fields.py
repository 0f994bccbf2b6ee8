"""Mistakes in one field, on any operation: their status, and the field that the error names.

What is wrong is read off the request, by what `spec/` says of its body, its form and its query; whether such a request
must be refused at all is judged beside each surface. No probes of its own. Chat is judged in errors.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from wireproof.clause import Exchange, NotApplicable, clause, expect, needing, refused, sent, sequence, shown

from ._errors import ELSEWHERE, error_told, names_in, seen
from ._mistakes import CHAT, broken_fields

# Operations with clauses of their own for this.
STATUS_ELSEWHERE = (CHAT, "createResponse")
PARAM_ELSEWHERE = (
    *STATUS_ELSEWHERE,
    "createFile",
    "createImage",
    "createModeration",
    "createSpeech",
    "createTranscription",
    "createVideo",
)
RIGHT = (400, 413, 422)
# Answers of a server that does not know the operation, or cannot do what it knows.
NOT_SERVED = (404, 405, 501)


@clause(
    "errors.field-status",
    level="MUST",
    source="ERR-LATE 400; SDK BadRequestError, NotFoundError, ConflictError",
    on=needing(sequence(sent()), "sequence"),
)
def a_broken_field_is_no_missing_thing(exchanges: Sequence[Exchange]) -> None:
    """A field that breaks its documented type, words or bounds is refused with 400, or 422, as nothing that is missing.

    Clients make again what they are told is not there, and repeat a 409; neither mends a typing error.
    """
    served = {exchange.operation for exchange in exchanges if exchange.status in (200, *RIGHT)}
    wrong = [one for one in _refusals(exchanges) if one.status not in NOT_SERVED or one.operation in served]
    if not wrong:
        raise NotApplicable("no refused request has a broken field")
    for exchange in wrong:
        expect(
            exchange.status in RIGHT,
            expected=f"status 400 or 422 for {' and '.join(broken_fields(exchange))}",
            got=seen(exchange),
            at=f"{exchange.id} ",
        )


def _refusals(exchanges: Sequence[Exchange]) -> list[Exchange]:
    """The refusals of requests with a broken field, by 4xx; other statuses are judged elsewhere."""
    return [
        exchange
        for exchange in exchanges
        if exchange.operation not in STATUS_ELSEWHERE
        and exchange.status is not None
        and 400 <= exchange.status < 500
        and exchange.status not in ELSEWHERE
        and broken_fields(exchange)
    ]


@clause("errors.field-param", level="SHOULD", source="SPEC Error.param; ERR-LATE 400", on=refused(status="400"))
def param_names_the_broken_field(exchange: Exchange) -> None:
    """Whatever the operation, `param` names the field of body, form or query that breaks its documented type or bounds.

    A form on the caller's side marks the field that it names; with null it can only show the sentence.
    """
    fields = broken_fields(exchange)
    if not fields or exchange.operation in PARAM_ELSEWHERE:
        raise NotApplicable("no field is broken, or the clauses of its surface judge it")
    error = error_told(exchange)
    param = error.get("param")
    if str(error.get("code")).startswith("unsupported_"):
        raise NotApplicable(f"the backend does not take {shown(param)} at all")
    expect(
        not names_in(param).isdisjoint(fields),
        expected=f"param {' or '.join(fields)}",
        got=shown(param) if "param" in error else "no param",
        at="/error/param",
    )
