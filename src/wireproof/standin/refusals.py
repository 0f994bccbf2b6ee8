"""How a request is refused: an exception on the inside, the error envelope on the outside.

Messages and codes follow the manner of the API (`missing_required_parameter`, `invalid_type`, ...), `param`
is the offending field as `messages[0].role`.
"""

from __future__ import annotations

from typing import Any

from wireproof.standin.wire import Answer, refusal


class Refused(Exception):
    """The request cannot be served; `answer` says why."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.body.decode())
        self.answer = answer


def invalid(message: str, param: str | None = None, code: str | None = None) -> Refused:
    return Refused(refusal(400, message, param=param, code=code))


def missing(param: str) -> Refused:
    return invalid(f"Missing required parameter: '{param}'.", param, "missing_required_parameter")


def wrong_type(param: str, expected: str, got: Any) -> Refused:
    return invalid(
        f"Invalid type for '{param}': expected {expected}, but got {kind_of(got)} instead.", param, "invalid_type"
    )


def wrong_value(param: str, got: Any, supported: list[Any]) -> Refused:
    choices = ", ".join(f"'{value}'" for value in supported)
    return invalid(f"Invalid value: '{got}'. Supported values are: {choices}.", param, "invalid_value")


def unknown_model(model: str) -> Refused:
    """Source: recorded 404s of chat and embeddings carry a null `param`."""
    return Refused(
        refusal(
            404,
            f"The model `{model}` does not exist or you do not have access to it.",
            code="model_not_found",
        )
    )


def not_found(message: str, param: str | None = None, code: str | None = None) -> Refused:
    return Refused(refusal(404, message, param=param, code=code))


KINDS: dict[type, str] = {
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a decimal number",
    list: "an array",
    dict: "an object",
    type(None): "null",
}


def kind_of(value: Any) -> str:
    return KINDS.get(type(value), "something else")
