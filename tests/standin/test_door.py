from __future__ import annotations

import json
from typing import Any

import pytest
from standin.asking import CHAT, EMBEDDING, LEGACY, ask, backend, chat, error, post, user

from wireproof.standin.wire import Ask

ROUTES = [("GET", "/models"), ("POST", "/chat/completions"), ("POST", "/embeddings"), ("GET", "/chat/completions/x")]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_without_a_key_nothing_is_served(method: str, path: str) -> None:
    answer = backend().answer(ask(method, path, key=None))
    assert answer.status == 401
    assert (error(answer)["code"], error(answer)["param"]) == (None, None)


@pytest.mark.parametrize("key", ["sk-wrong-and-quite-long-indeed", "sk-standi", "sk-standin2", "x"])
def test_a_wrong_key_is_named_but_not_repeated(key: str) -> None:
    answer = backend().answer(ask("GET", "/models", key=key))
    assert answer.status == 401
    assert error(answer)["code"] == "invalid_api_key"
    assert key not in answer.body.decode() or key == "x"
    assert answer.header("x-request-id")


def test_another_scheme_is_no_key() -> None:
    basic = Ask("GET", "/v1/models", headers=(("authorization", "Basic sk-standin"),))
    assert error(backend().answer(basic))["code"] is None


def test_an_unknown_route_is_an_invalid_url() -> None:
    answer = backend().answer(ask("POST", "/nothing/here", {}))
    assert answer.status == 404
    assert error(answer)["message"] == "Invalid URL (POST /v1/nothing/here)"


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [("GET", "/embeddings", "POST"), ("PUT", "/chat/completions", "GET, POST"), ("DELETE", "/models", "GET")],
)
def test_a_wrong_method_says_which_are_right(method: str, path: str, allow: str) -> None:
    answer = backend().answer(ask(method, path))
    assert (answer.status, answer.header("allow")) == (405, allow)
    assert error(answer)["code"] is None


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'"text"', b"\xff\xfe", b'{"a": NaN}', b'{"a": "\\ud800"}', b"[" * 100_000, b"null"],
    ids=lambda body: repr(body[:10]),
)
@pytest.mark.parametrize("path", ["/chat/completions", "/completions", "/embeddings"])
def test_a_body_that_is_no_json_object_is_a_bad_request(path: str, body: bytes) -> None:
    answer = post(path, body)
    assert answer.status == 400
    assert (error(answer)["param"], error(answer)["code"]) == (None, None)


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"model": None}, "model", "invalid_type"),
        ({"messages": "hi"}, "messages", "invalid_type"),
        ({"messages": []}, "messages", "empty_array"),
        ({"messages": [{"role": "alien", "content": "a"}]}, "messages[0].role", "invalid_value"),
        ({"messages": [{"role": "user"}]}, "messages[0].content", "missing_required_parameter"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content", "invalid_type"),
        ({"messages": user([{"type": "text"}])}, "messages[0].content[0].text", "missing_required_parameter"),
        ({"messages": user([{"type": "video"}])}, "messages[0].content[0].type", "invalid_value"),
        ({"temperature": 2.5}, "temperature", "decimal_above_max_value"),
        ({"temperature": -1}, "temperature", "integer_below_min_value"),
        ({"temperature": "hot"}, "temperature", "invalid_type"),
        ({"top_p": 1.5}, "top_p", "decimal_above_max_value"),
        ({"frequency_penalty": 3}, "frequency_penalty", "integer_above_max_value"),
        ({"n": 0}, "n", "integer_below_min_value"),
        ({"n": 129}, "n", "integer_above_max_value"),
        ({"n": 1.5}, "n", "invalid_type"),
        ({"max_tokens": 0}, "max_tokens", "integer_below_min_value"),
        ({"max_tokens": 10**6}, "max_tokens", "invalid_value"),
        ({"stop": ["a"] * 5}, "stop", "array_above_max_length"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs", "integer_above_max_value"),
        ({"top_logprobs": 2}, "top_logprobs", None),
        ({"stream_options": {"include_usage": True}}, "stream_options", None),
        ({"stream": "yes"}, "stream", "invalid_type"),
        ({"response_format": {"type": "xml"}}, "response_format.type", "invalid_value"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema", "missing_required_parameter"),
        ({"metadata": {"a": 1}}, "metadata.a", "invalid_type"),
        ({"metadata": {str(n): "" for n in range(17)}}, "metadata", "invalid_value"),
        ({"modalities": ["text", "audio"], "audio": {"voice": "v", "format": "mp3"}}, "audio", "unsupported_parameter"),
        ({"messages": user([{"type": "image_url", "image_url": {"url": "ftp://x"}}])},
         "messages[0].content[0].image_url.url", "invalid_image_url"),
        ({"messages": user([{"type": "image_url", "image_url": {"url": "data:image/png;base64,&&&"}}])},
         "messages[0].content[0].image_url.url", "invalid_base64_image"),
        ({"messages": user([{"type": "input_audio", "input_audio": {"data": "&", "format": "wav"}}])},
         "messages[0].content[0].input_audio.data", "invalid_value"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named(fields: dict[str, Any], param: str, code: str | None) -> None:
    body = {"model": CHAT, "messages": user("hi"), **fields}
    answer = post("/chat/completions", body)
    assert answer.status == 400
    found = error(answer)
    assert (found["param"], found["code"], found["type"]) == (param, code, "invalid_request_error")
    assert found["message"]
    if "stream" not in fields and "stream_options" not in fields:
        assert post("/chat/completions", {**body, "stream": True}).status == 400


@pytest.mark.parametrize("name", ["model", "messages"])
def test_a_missing_field_is_named(name: str) -> None:
    body = {"model": CHAT, "messages": user("hi")}
    del body[name]
    assert error(post("/chat/completions", body))["param"] == name


@pytest.mark.parametrize("path", ["/chat/completions", "/completions", "/embeddings"])
def test_an_unknown_model_is_not_found(path: str) -> None:
    answer = post(path, {"model": "no-such", "messages": user("hi"), "prompt": "hi", "input": "hi", "stream": True})
    assert answer.status == 404
    found = error(answer)
    assert (found["type"], found["code"], found["param"]) == ("invalid_request_error", "model_not_found", None)
    assert answer.header("x-ratelimit-limit-requests") is None


def test_a_prompt_beyond_the_window_is_refused() -> None:
    answer = post("/chat/completions", {"model": "gpt-4o-mini", "messages": user("word " * 130_000)})
    assert (answer.status, error(answer)["code"]) == (400, "context_length_exceeded")


def test_every_answer_carries_the_standing_headers() -> None:
    one = backend()
    answers = [
        chat("Hello", one),
        chat("Hello", one, stream=True),
        one.answer(ask("GET", "/models")),
        one.answer(ask("GET", "/models", key=None)),
        one.answer(ask("POST", "/chat/completions", b"{")),
        one.answer(ask("GET", "/no/such")),
    ]
    for answer in answers:
        assert (answer.header("x-request-id") or "").startswith("req_")
        assert (answer.header("openai-processing-ms") or "").isdigit()
        assert answer.header("openai-version") == "2020-10-01"
        assert answer.header("openai-organization") == "org-standin"
        assert answer.header("content-type")
    assert len({answer.header("x-request-id") for answer in answers}) == len(answers)


@pytest.mark.parametrize("id", ["x" * 513, "é"])
def test_a_client_request_id_must_be_short_ascii(id: str) -> None:
    asked = ask("GET", "/models")
    answer = backend().answer(Ask(asked.method, asked.path, (), (*asked.headers, ("x-client-request-id", id))))
    assert answer.status == 400


def test_models_are_listed_and_each_can_be_retrieved() -> None:
    one = backend()
    cards = one.answer(ask("GET", "/models")).json["data"]
    assert {CHAT, LEGACY, EMBEDDING} <= {card["id"] for card in cards}
    assert len({card["id"] for card in cards}) == len(cards)
    for card in cards:
        assert one.answer(ask("GET", f"/models/{card['id']}")).json == card
    assert error(one.answer(ask("GET", "/models/none")))["code"] == "model_not_found"


def test_no_model_can_be_deleted() -> None:
    assert backend().answer(ask("DELETE", f"/models/{CHAT}")).status == 403
    assert backend().answer(ask("DELETE", "/models/none")).status == 404


def test_a_model_of_another_kind_is_not_served() -> None:
    assert post("/completions", {"model": CHAT, "prompt": "hi"}).status == 404
    assert post("/chat/completions", {"model": EMBEDDING, "messages": user("hi")}).status == 404


def test_further_names_answer_under_their_own() -> None:
    from wireproof.standin.backend import Setup

    one = backend(Setup(models=("my-model",)))
    answer = post("/chat/completions", {"model": "my-model", "messages": user("hi")}, one)
    assert answer.json["model"] == "my-model"
    assert "my-model" in json.dumps(one.answer(ask("GET", "/models")).json)


def test_a_name_with_a_slash_can_be_retrieved() -> None:
    from wireproof.standin.backend import Setup

    answer = backend(Setup(models=("org/model",))).answer(ask("GET", "/models/org%2Fmodel"))
    assert answer.json["id"] == "org/model"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/chat/completions", {"model": CHAT, "messages": user("Hello"), "max_tokens": 2.0, "n": 2.0}),
        ("/completions", {"model": LEGACY, "prompt": "Hello", "max_tokens": 2.0, "n": 2.0, "logprobs": 1.0}),
        ("/embeddings", {"model": EMBEDDING, "input": "Hello", "dimensions": 16.0}),
    ],
)
def test_an_integer_may_be_written_with_a_point(path: str, body: dict[str, Any]) -> None:
    whole = {name: int(value) if isinstance(value, float) else value for name, value in body.items()}
    assert post(path, body).status == 200
    for part in ("choices", "data"):
        assert post(path, body).json.get(part) == post(path, whole).json.get(part)


@pytest.mark.parametrize("key", ["", "%41", "a/b", "~"])
def test_a_breach_below_a_key_of_any_spelling_is_refused(key: str) -> None:
    body = {"model": CHAT, "messages": user("Hello"), "logit_bias": {key: "high"}}
    assert post("/chat/completions", body).status == 400
    variables = {key: {"type": "input_file", "file_data": 1}}
    assert (
        post("/responses", {"model": CHAT, "input": "Hello", "prompt": {"id": "x", "variables": variables}}).status
        == 400
    )
