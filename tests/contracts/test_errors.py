"""contracts/errors*.py: each clause with an exchange that keeps it and the nearest that breaks it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import pytest
from made import answer, clauses_of, outcome_of, stream, verdict_of

from wireproof.clause import Exchange

Clauses = Mapping[str, Any]
TURN = {"role": "user", "content": "Hi"}
PLAIN = {"choices": [{"index": 0}], "usage": {}}
ERROR = {"message": "`top_p` is too large.", "type": "invalid_request_error", "param": "top_p", "code": None}


@pytest.fixture(scope="module")
def errors(contract: Callable[[str], ModuleType]) -> Clauses:
    """The clauses by the names of their functions."""
    stems = ("errors", "errors_shape")
    return {one.__name__: one for one in clauses_of(*map(contract, stems))}


def asked(**fields: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [TURN], "max_tokens": 1, **fields}


def told(
    status: int = 400, body: Any = None, *, ask: Any = None, probe: str = "errors.made", **fields: Any
) -> Exchange:
    kind = "text/html" if isinstance(body, bytes) and body.startswith(b"<") else "application/json"
    return answer(
        {"error": {**ERROR, **fields}} if body is None else body,
        status=status,
        asked=asked(top_p=2) if ask is None else ask,
        headers=(("content-type", kind),),
        probe=probe,
    )


def job(**fields: Any) -> Exchange:
    """A thing that has an `error` of its own."""
    return answer(
        {"id": "ftjob-1", **fields}, operation="retrieveFineTuningJob", method="GET", path="/fine_tuning/jobs/1"
    )


def without(key: str) -> Exchange:
    return told(body={"error": {name: value for name, value in ERROR.items() if name != key}})


def taken(ask: Any, probe: str = "errors.made") -> Exchange:
    return told(200, PLAIN, ask=ask, probe=probe)


def typed(kind: str | None) -> Exchange:
    return answer({"error": ERROR}, status=400, headers=(("content-type", kind),) if kind else ())


def repeated(status: int, word: str) -> Exchange:
    headers = (("content-type", "application/json"), ("x-should-retry", word))
    return answer({"error": ERROR}, status=status, headers=headers)


def routed(status: int, method: str, path: str, probe: str) -> Exchange:
    return answer({"error": ERROR}, status=status, operation=None, method=method, path=path, probe=probe)


CALL = {"role": "assistant", "content": None, "tool_calls": [{"id": "c1", "type": "function"}]}
RESULT = {"role": "tool", "tool_call_id": "c1", "content": "4"}
BROKEN = b'{"model": '
MISSING = {"model": "m"}
STRINGS = asked(messages="Hi")
ALONE = asked(top_logprobs=2)
UNKNOWN = asked(model="wireproof-no-such-model")
WIZARD = asked(messages=[{**TURN, "role": "wizard"}])
VALIDATOR = "1 validation error for ChatCompletionRequest"
FOUND_OUT = "litellm.APIConnectionError: 'str' object has no attribute 'get'"

CASES: list[tuple[str, Exchange, str]] = [
    ("errors_come_in_the_envelope", told(), "pass"),
    ("errors_come_in_the_envelope", told(401, {"error": ERROR, "status": 401}), "pass"),
    ("errors_come_in_the_envelope", told(body={"detail": "No."}), "fail"),
    ("errors_come_in_the_envelope", told(422, {"detail": [{"msg": "No.", "loc": ["body"]}]}), "fail"),
    ("errors_come_in_the_envelope", told(body={"error": "No."}), "fail"),
    ("errors_come_in_the_envelope", told(body=b"<html></html>"), "fail"),
    ("errors_come_in_the_envelope", told(500, b"Internal Server Error"), "fail"),
    ("errors_come_in_the_envelope", told(404, b""), "fail"),
    ("errors_come_in_the_envelope", taken(asked()), "not-applicable"),
    ("errors_have_four_keys", told(), "pass"),
    ("errors_have_four_keys", told(body={"error": {**ERROR, "provider": "x"}}), "pass"),
    ("errors_have_four_keys", without("param"), "fail"),
    ("errors_have_four_keys", without("code"), "fail"),
    ("errors_have_four_keys", told(body={"detail": "No."}), "not-applicable"),
    ("errors_are_typed_as_documented", told(), "pass"),
    ("errors_are_typed_as_documented", without("param"), "pass"),
    ("errors_are_typed_as_documented", without("message"), "pass"),
    ("errors_are_typed_as_documented", told(code=400), "fail"),
    ("errors_are_typed_as_documented", told(message={"text": "No."}), "fail"),
    ("errors_are_typed_as_documented", told(message=" "), "fail"),
    ("errors_are_typed_as_documented", told(type=None), "fail"),
    ("errors_are_typed_as_documented", told(param=["top_p"]), "fail"),
    ("errors_are_typed_json", typed("application/json; charset=utf-8"), "pass"),
    ("errors_are_typed_json", typed("text/plain"), "fail"),
    ("errors_are_typed_json", typed(None), "fail"),
    ("errors_are_typed_json", told(body=b"<html></html>"), "not-applicable"),
    ("code_is_no_status", told(), "pass"),
    ("code_is_no_status", told(code="http_400"), "pass"),
    ("code_is_no_status", told(code="400"), "fail"),
    ("null_is_null", told(), "pass"),
    ("null_is_null", told(code="None"), "fail"),
    ("null_is_null", told(param=""), "fail"),
    ("mistakes_are_invalid_requests", told(), "pass"),
    ("mistakes_are_invalid_requests", told(type="BadRequestError"), "fail"),
    ("mistakes_are_invalid_requests", told(404, type="not_found_error"), "fail"),
    ("mistakes_are_invalid_requests", told(429, type="requests"), "not-applicable"),
    ("mistakes_are_invalid_requests", answer({"error": {"message": "No."}}, status=400), "not-applicable"),
    ("messages_are_for_the_caller", told(), "pass"),
    ("messages_are_for_the_caller", told(message="Expected a message like {'role': 'user'}, got an object."), "pass"),
    ("messages_are_for_the_caller", told(message="Error code: 400 - {'error': {'message': 'No.'}}"), "fail"),
    ("messages_are_for_the_caller", told(message=FOUND_OUT), "fail"),
    ("messages_are_for_the_caller", told(message="<app.Handler object at 0x7f3c>"), "fail"),
    ("messages_are_for_the_caller", told(message=f"{VALIDATOR}\nmessages\n  Field required"), "fail"),
    ("messages_are_for_the_caller", told(message="[{'type': 'missing', 'loc': ('body', 'messages')}]"), "fail"),
    ("messages_are_for_the_caller", told(message="assert n > 0 (/opt/llm/engine/sampler.py:33)"), "fail"),
    ("messages_are_for_the_caller", told(message=r"C:\srv\llm\api.py failed"), "fail"),
    ("messages_are_for_the_caller", told(message="b'top_p is too large'"), "fail"),
    ("messages_are_for_the_caller", told(message="See https://host/docs/top_p.js?of=/a/b.py, or main.py."), "pass"),
    ("messages_are_for_the_caller", told(message="'model' and 'b' are required; POST /v1/chat/completions"), "pass"),
    ("messages_are_for_the_caller", told(message="1 validation error: top_p is too large"), "pass"),
    ("mistakes_are_not_to_be_repeated", told(), "pass"),
    ("mistakes_are_not_to_be_repeated", repeated(400, "false"), "pass"),
    ("mistakes_are_not_to_be_repeated", repeated(400, "true"), "fail"),
    ("mistakes_are_not_to_be_repeated", repeated(429, "true"), "not-applicable"),
    ("mistakes_are_not_to_be_repeated", repeated(409, "true"), "not-applicable"),
    ("errors_carry_no_result", told(), "pass"),
    ("errors_carry_no_result", told(body={"error": ERROR, "usage": None, "choices": []}), "pass"),
    ("errors_carry_no_result", told(body={"error": ERROR, "usage": {"total_tokens": 3}}), "fail"),
    ("success_carries_no_error", taken(asked()), "pass"),
    ("success_carries_no_error", told(200, {**PLAIN, "error": None}), "pass"),
    ("success_carries_no_error", told(200, {"error": ERROR}), "fail"),
    ("success_carries_no_error", stream([PLAIN]), "not-applicable"),
    ("success_carries_no_error", job(status="failed", error=ERROR), "not-applicable"),
    ("success_carries_no_error", job(error=ERROR), "fail"),
    ("mistakes_are_no_server_errors", told(ask=BROKEN), "pass"),
    ("mistakes_are_no_server_errors", told(500, ask=BROKEN), "fail"),
    ("mistakes_are_no_server_errors", told(500, ask=b"[]"), "fail"),
    ("mistakes_are_no_server_errors", told(500, ask=STRINGS), "fail"),
    ("mistakes_are_no_server_errors", told(503, ask=STRINGS), "inconclusive"),
    ("mistakes_are_no_server_errors", told(500, ask=asked()), "not-applicable"),
    ("mistakes_are_no_server_errors", routed(500, "GET", "/embeddings", "errors.wrong-method"), "fail"),
    ("broken_json_is_a_400", told(ask=BROKEN), "pass"),
    ("broken_json_is_a_400", told(422, ask=BROKEN), "pass"),
    ("broken_json_is_a_400", told(404, ask=BROKEN), "fail"),
    ("broken_json_is_a_400", taken(BROKEN), "fail"),
    ("broken_json_is_a_400", told(500, ask=BROKEN), "not-applicable"),
    ("broken_json_is_a_400", told(502, ask=BROKEN), "inconclusive"),
    ("broken_json_is_a_400", told(ask=b"[]"), "not-applicable"),
    ("a_body_must_be_an_object", told(ask=b"[]"), "pass"),
    ("a_body_must_be_an_object", told(422, ask=b"[]"), "pass"),
    ("a_body_must_be_an_object", told(ask=b"null"), "pass"),
    ("a_body_must_be_an_object", taken(b"[]"), "fail"),
    ("a_body_must_be_an_object", told(ask=BROKEN), "not-applicable"),
    ("an_invalid_field_is_refused", told(ask=MISSING), "pass"),
    ("an_invalid_field_is_refused", taken(MISSING), "fail"),
    ("an_invalid_field_is_refused", told(404, ask=MISSING), "fail"),
    ("an_invalid_field_is_refused", told(429, ask=MISSING), "inconclusive"),
    ("an_invalid_field_is_refused", taken(asked()), "not-applicable"),
    ("an_invalid_field_is_refused", told(ask=STRINGS), "pass"),
    ("an_invalid_field_is_refused", taken(STRINGS), "fail"),
    ("an_invalid_field_is_refused", taken(asked()), "not-applicable"),
    ("an_invalid_field_is_refused", taken(asked(messages=[])), "fail"),
    ("an_invalid_field_is_refused", told(ask=asked(messages=[])), "pass"),
    ("a_value_out_of_range_is_refused", told(), "pass"),
    ("a_value_out_of_range_is_refused", taken(asked(top_p=2)), "fail"),
    ("a_value_out_of_range_is_refused", taken(asked(temperature=3.5)), "fail"),
    ("a_value_out_of_range_is_refused", taken(asked(n=0)), "fail"),
    ("a_value_out_of_range_is_refused", taken(asked(top_p=1, temperature=2, n=None)), "not-applicable"),
    ("top_logprobs_need_logprobs", told(ask=ALONE), "pass"),
    ("top_logprobs_need_logprobs", taken(ALONE), "fail"),
    ("top_logprobs_need_logprobs", taken(asked(top_logprobs=2, logprobs=True)), "not-applicable"),
    ("stream_options_need_a_stream", told(ask=asked(stream_options={})), "pass"),
    ("stream_options_need_a_stream", taken(asked(stream_options={"include_usage": True})), "fail"),
    ("stream_options_need_a_stream", taken(asked(stream_options=None)), "not-applicable"),
    ("stream_options_need_a_stream", taken(asked(stream_options={}, stream=True)), "not-applicable"),
    ("a_result_needs_its_call", told(ask=asked(messages=[TURN, RESULT])), "pass"),
    ("a_result_needs_its_call", taken(asked(messages=[TURN, RESULT])), "fail"),
    ("a_result_needs_its_call", taken(asked(messages=[TURN, CALL, {**RESULT, "tool_call_id": "c2"}])), "fail"),
    ("a_result_needs_its_call", taken(asked(messages=[TURN, CALL, RESULT])), "not-applicable"),
    ("invalid_requests_are_400", told(), "pass"),
    ("invalid_requests_are_400", told(422), "fail"),
    ("invalid_requests_are_400", told(422, ask=asked()), "not-applicable"),
    ("param_names_the_field", told(), "pass"),
    ("param_names_the_field", told(ask=STRINGS, param="body.messages[0]"), "pass"),
    ("param_names_the_field", told(ask=MISSING, param="messages"), "pass"),
    ("param_names_the_field", told(ask=ALONE, param="logprobs"), "pass"),
    ("param_names_the_field", told(ask=WIZARD, param="messages[0].role"), "pass"),
    ("param_names_the_field", told(ask=WIZARD, param=None), "fail"),
    ("param_names_the_field", told(param=None), "fail"),
    ("param_names_the_field", told(param="temperature"), "fail"),
    ("param_names_the_field", told(ask=asked(), param=None), "not-applicable"),
    ("an_unknown_model_is_a_404", told(404, ask=UNKNOWN), "pass"),
    ("an_unknown_model_is_a_404", told(400, ask=UNKNOWN), "fail"),
    ("an_unknown_model_is_a_404", taken(UNKNOWN), "fail"),
    ("an_unknown_model_is_a_404", told(401, ask=UNKNOWN), "inconclusive"),
    ("an_unknown_model_has_its_code", told(404, ask=UNKNOWN, code="model_not_found"), "pass"),
    ("an_unknown_model_has_its_code", told(404, ask=UNKNOWN), "fail"),
    ("an_unknown_model_has_its_code", taken(UNKNOWN), "not-applicable"),
    ("an_unknown_path_is_a_404", routed(404, "POST", "/no/such", "errors.unknown-route"), "pass"),
    ("an_unknown_path_is_a_404", routed(200, "POST", "/no/such", "errors.unknown-route"), "fail"),
    ("an_unknown_path_is_a_404", routed(400, "POST", "/no/such", "errors.unknown-route"), "fail"),
    ("a_wrong_method_is_refused", routed(405, "GET", "/embeddings", "errors.wrong-method"), "pass"),
    ("a_wrong_method_is_refused", routed(404, "GET", "/embeddings", "errors.wrong-method"), "pass"),
    ("a_wrong_method_is_refused", routed(200, "GET", "/embeddings", "errors.wrong-method"), "fail"),
]


@pytest.mark.parametrize(("clause", "exchange", "outcome"), CASES)
def test_a_clause_tells_kept_from_broken(errors: Clauses, clause: str, exchange: Exchange, outcome: str) -> None:
    assert outcome_of(errors[clause], exchange) == outcome


TWIN = {**MISSING, "stream": True}
PARITY: list[tuple[Exchange, str]] = [
    (told(ask=TWIN, probe="errors.missing-stream"), "pass"),
    (told(ask=TWIN, probe="errors.missing-stream", message="Another text."), "pass"),
    (told(ask=TWIN, probe="errors.missing-stream", code="stream_error"), "fail"),
    (told(422, ask=TWIN, probe="errors.missing-stream"), "fail"),
    (stream([{"error": ERROR}], asked=TWIN, probe="errors.missing-stream"), "fail"),
    (told(429, ask=TWIN, probe="errors.missing-stream"), "inconclusive"),
]


@pytest.mark.parametrize(("streamed", "outcome"), PARITY)
def test_a_stream_is_refused_as_the_plain_request_is(errors: Clauses, streamed: Exchange, outcome: str) -> None:
    plain = told(ask=MISSING, probe="errors.missing")
    assert outcome_of(errors["streams_are_refused_alike"], plain, streamed) == outcome


def test_parity_says_nothing_where_the_plain_request_is_served(errors: Clauses) -> None:
    pair = taken(MISSING, "errors.missing"), told(ask=TWIN, probe="errors.missing-stream")
    assert outcome_of(errors["streams_are_refused_alike"], *pair) == "not-applicable"


def test_a_finding_says_where_and_what(errors: Clauses) -> None:
    finding = verdict_of(errors["errors_are_typed_as_documented"], told(code=400)).findings[0]
    assert (finding.where.pointer, finding.got) == ("/error/code", "400")
