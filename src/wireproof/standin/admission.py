"""From a request to a `Call`: its route, its parameters, its body, each as the description has it, or a refusal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from wireproof.spec import Operation, Parameter, load_spec
from wireproof.standin.call import Call, Upload
from wireproof.standin.door import no_method, no_route
from wireproof.standin.forms import form, parts, typed
from wireproof.standin.refusals import Refused, invalid, missing
from wireproof.standin.requests import body_of, check_schema, refused
from wireproof.standin.wire import Ask, Query, refusal

PREFIX = "/v1"
JSON = "application/json"
FORM = "multipart/form-data"


def admitted(ask: Ask, key: str, serial: str, now: float, new_serial: Callable[[], str], *, is_metered: bool) -> Call:
    operation, path = _routed(ask)
    query = _parameters(operation, "query", lambda one: _query(ask.query, one))
    headers = _parameters(operation, "header", lambda one: ask.header(one.name))
    return Call(ask, operation, key, serial, now, path, query, headers, _body(operation, ask), new_serial, is_metered)


def _routed(ask: Ask) -> tuple[Operation, dict[str, str]]:
    if not ask.path.startswith(PREFIX + "/"):
        raise no_route(ask)
    operations, values = load_spec().routes.at(ask.path.removeprefix(PREFIX))
    if not operations:
        raise no_route(ask)
    if ask.method not in operations:
        raise no_method(ask, operations.keys())
    operation = operations[ask.method]
    return operation, dict(zip(_path_names(operation), values, strict=True)) if values else {}


def _path_names(operation: Operation) -> list[str]:
    return [segment[1:-1] for segment in operation.path.split("/") if segment.startswith("{")]


def _parameters(operation: Operation, place: str, sent: Callable[[Parameter], Any]) -> dict[str, Any]:
    """By name, typed; the default of what was not sent, or nothing when it has none."""
    found: dict[str, Any] = {}
    for one in operation.parameters:
        if one.place != place:
            continue
        value = sent(one)
        if value is None:
            if one.required:
                raise _absent(one)
            default = one.schema.resolved.get("default")
            if default is not None:
                found[one.name] = default
            continue
        found[one.name] = value = typed(one.schema.document, [one.schema.resolved], value)
        for violation in one.schema.violations(value):
            raise refused(replace(violation, pointer=f"/{one.name}{violation.pointer}"), {one.name: value})
    return found


def _absent(parameter: Parameter) -> Refused:
    if parameter.place == "header":
        code = "invalid_beta" if parameter.name == "OpenAI-Beta" else None
        wanted = parameter.schema.resolved.get("examples", ["..."])[0]
        return invalid(
            f"You must provide the '{parameter.name}' header to access this API. Please try again by setting the "
            f"header '{parameter.name}: {wanted}'.",
            code=code,
        )
    return missing(parameter.name)


def _query(query: Query, parameter: Parameter) -> Any:
    """What was sent of a parameter: text, a list of an array's items, an object of `name[key]`; None for nothing."""
    name = parameter.name.removesuffix("[]")
    if parameter.node.get("style") == "deepObject":
        inner = {
            key.removeprefix(f"{name}[")[:-1]: value
            for key, value in query
            if key.startswith(f"{name}[") and key[-1] == "]"
        }
        return inner or None
    values = [value for key, value in query if key in (name, f"{name}[]")]
    if "array" in _types(parameter):
        return values or None
    return values[-1] if values else None


def _types(parameter: Parameter) -> Any:
    return parameter.schema.resolved.get("type", ())


def _body(operation: Operation, ask: Ask) -> dict[str, Any]:
    """The JSON object or the form; {} when there is none, or one of a media type that only the handler can read."""
    kind = (ask.header("content-type") or JSON).partition(";")[0].strip().lower()
    if not operation.takes or (not ask.body and not operation.needs_body):
        return {}
    if kind == FORM or JSON not in operation.takes:
        if kind not in operation.takes:
            raise Refused(
                refusal(415, f"Unsupported media type: '{kind}'. Supported are: {', '.join(sorted(operation.takes))}.")
            )
        return _form(operation, ask) if kind == FORM else {}
    if kind in operation.takes - {JSON}:
        return {}
    body = body_of(ask.body)
    check_schema(operation, body)
    return body


def _form(operation: Operation, ask: Ask) -> dict[str, Any]:
    schema = operation.body_schema(FORM)
    assert schema is not None  # FORM is among what it takes
    body = form(schema.document, schema.resolved, parts(ask.body, ask.header("content-type") or ""))
    check_schema(operation, _without_files(body), FORM)
    return body


def _without_files(value: Any) -> Any:
    """To a schema a file is a string of bytes; what is in it says no schema."""
    if isinstance(value, Upload):
        return ""
    if isinstance(value, Mapping):
        return {name: _without_files(one) for name, one in value.items()}
    return [_without_files(one) for one in value] if isinstance(value, list) else value
