"""What the schemas of answers take and what they refuse: as backends send them, each with its nearest breaches."""

from __future__ import annotations

from typing import Any

import pytest
from edits import changed, cut, edit

from wireproof.spec import load_spec

SPEC = load_spec()


def holds(name: str, body: Any) -> bool:
    return SPEC.schema(name).holds(body)


USAGE = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
TOKEN = {"token": "Hi", "logprob": -0.1, "bytes": [72, 105], "top_logprobs": []}
CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Bern"}'}}

CHAT = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1760000000,
    "model": "gpt-4o-mini-2024-07-18",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hi", "refusal": None, "annotations": []},
            "logprobs": {"content": [TOKEN], "refusal": None},
            "finish_reason": "stop",
        }
    ],
    "usage": {
        **USAGE,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0},
    },
    "service_tier": "default",
    "system_fingerprint": "fp_1",
}
CALLED = changed(
    CHAT,
    edit("choices.0.message", {"role": "assistant", "content": None, "tool_calls": [CALL]}),
    edit("choices.0.finish_reason", "tool_calls"),
)
CHUNK = {
    "id": "chatcmpl-1",
    "object": "chat.completion.chunk",
    "created": 1760000000,
    "model": "gpt-4o-mini-2024-07-18",
    "choices": [{"index": 0, "delta": {"content": "Hi"}, "logprobs": None, "finish_reason": None}],
    "usage": None,
    "system_fingerprint": None,
    "obfuscation": "x7Qf",
}
CALL_CHUNK = changed(
    CHUNK,
    edit("choices.0.delta", {"role": "assistant", "content": None, "tool_calls": [{"index": 0, **CALL}]}),
)
TEXT = {
    "id": "cmpl-1",
    "object": "text_completion",
    "created": 1760000000,
    "model": "gpt-3.5-turbo-instruct",
    "choices": [
        {
            "text": " world",
            "index": 0,
            "logprobs": {
                "tokens": ["hello", " world"],
                "token_logprobs": [None, -1.5],
                "top_logprobs": [None, {" world": -1.5}],
                "text_offset": [0, 5],
            },
            "finish_reason": "length",
        }
    ],
    "usage": USAGE,
}
TEXT_CHUNK = changed(TEXT, edit("choices.0.finish_reason", None), edit("choices.0.logprobs", None), edit("usage", None))
VECTORS = {
    "object": "list",
    "model": "text-embedding-3-small",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.6, -0.8]}],
    "usage": {"prompt_tokens": 2, "total_tokens": 2},
}
MODEL = {"id": "gpt-4.1-mini", "object": "model", "created": 1744318173, "owned_by": "system"}
MODELS = {"object": "list", "data": [MODEL]}
ERROR = {
    "error": {"message": "No such model", "type": "invalid_request_error", "param": None, "code": "model_not_found"}
}
STORED = {"id": "chatcmpl-1-0", "role": "user", "content": "Hi", "name": None, "content_parts": None}
PAGE = {"object": "list", "data": [CHAT], "first_id": "chatcmpl-1", "last_id": "chatcmpl-1", "has_more": False}
MESSAGES = {**PAGE, "data": [STORED]}

LEGAL = {
    # chat
    "chat": ("ChatCompletion", CHAT),
    "chat with the least": (
        "ChatCompletion",
        changed(
            CHAT,
            cut("usage"),
            cut("service_tier"),
            cut("system_fingerprint"),
            cut("choices.0.logprobs"),
            cut("choices.0.message.refusal"),
            cut("choices.0.message.annotations"),
        ),
    ),
    "chat with nulls": (
        "ChatCompletion",
        changed(
            CHAT,
            edit("service_tier", None),
            edit("system_fingerprint", None),
            edit("choices.0.logprobs", None),
            edit("choices.0.message.tool_calls", None),
            edit("choices.0.message.function_call", None),
            edit("choices.0.message.audio", None),
            edit("choices.0.message.annotations", None),
            edit("usage.prompt_tokens_details", None),
            edit("usage.completion_tokens_details.audio_tokens", None),
            edit("metadata", None),
            edit("moderation", None),
        ),
    ),
    "chat with more": (
        "ChatCompletion",
        changed(
            CHAT,
            edit("provider", "x"),
            edit("choices.0.stop_reason", None),
            edit("choices.0.message.reasoning_content", "hm"),
            edit("usage.prompt_tokens_details.cache_write_tokens", 3),
            edit("usage.cost", 0.1),
        ),
    ),
    "chat of another id": ("ChatCompletion", changed(CHAT, edit("id", "gen-17-x"), edit("model", "org/model:latest"))),
    "chat cut before any text": (
        "ChatCompletion",
        changed(CHAT, edit("choices.0.message.content", ""), edit("choices.0.finish_reason", "length")),
    ),
    "chat refused": (
        "ChatCompletion",
        changed(CHAT, edit("choices.0.message.content", None), edit("choices.0.message.refusal", "No")),
    ),
    "chat with a citation": (
        "ChatCompletion",
        changed(
            CHAT,
            edit(
                "choices.0.message.annotations",
                [
                    {
                        "type": "url_citation",
                        "url_citation": {"start_index": 0, "end_index": 2, "url": "https://a.example", "title": "A"},
                    }
                ],
            ),
        ),
    ),
    "chat called": ("ChatCompletion", CALLED),
    "chat called a custom tool": (
        "ChatCompletion",
        changed(
            CALLED,
            edit(
                "choices.0.message.tool_calls.0",
                {"id": "call_2", "type": "custom", "custom": {"name": "run", "input": "ls"}},
            ),
        ),
    ),
    "chat with bytes null": ("ChatCompletion", changed(CHAT, edit("choices.0.logprobs.content.0.bytes", None))),
    "chat logprobs without refusal": ("ChatCompletion", changed(CHAT, cut("choices.0.logprobs.refusal"))),
    # chat, streamed
    "chunk": ("ChatChunk", CHUNK),
    "chunk with role and text": (
        "ChatChunk",
        changed(CHUNK, edit("choices.0.delta", {"role": "assistant", "content": "Hi"})),
    ),
    "chunk that ends": (
        "ChatChunk",
        changed(CHUNK, edit("choices.0.delta", {}), edit("choices.0.finish_reason", "stop")),
    ),
    "chunk of usage": ("ChatChunk", changed(CHUNK, edit("choices", []), edit("usage", USAGE))),
    "chunk with the least": (
        "ChatChunk",
        changed(CHUNK, cut("usage"), cut("obfuscation"), cut("system_fingerprint"), cut("choices.0.logprobs")),
    ),
    "chunk with nulls": (
        "ChatChunk",
        changed(CHUNK, edit("choices.0.delta", {"role": None, "content": None, "tool_calls": None, "refusal": None})),
    ),
    "chunk of a call": ("ChatChunk", CALL_CHUNK),
    "chunk of arguments": (
        "ChatChunk",
        changed(CALL_CHUNK, edit("choices.0.delta", {"tool_calls": [{"index": 0, "function": {"arguments": '{"'}}]})),
    ),
    "chunk of audio": ("ChatChunk", changed(CHUNK, edit("choices.0.delta", {"audio": {"id": "a", "transcript": "H"}}))),
    # legacy completions
    "text": ("Completion", TEXT),
    "text with the least": ("Completion", changed(TEXT, cut("usage"), cut("choices.0.logprobs"))),
    "text, empty": ("Completion", changed(TEXT, edit("choices.0.text", ""), edit("choices.0.logprobs", None))),
    "text chunk": ("CompletionChunk", TEXT_CHUNK),
    "text chunk that ends": ("CompletionChunk", changed(TEXT_CHUNK, edit("choices.0.finish_reason", "stop"))),
    "text chunk of usage": ("CompletionChunk", changed(TEXT_CHUNK, edit("choices", []), edit("usage", USAGE))),
    # embeddings, models, errors, stored completions
    "vectors": ("EmbeddingList", VECTORS),
    "vectors in base64": ("EmbeddingList", changed(VECTORS, edit("data.0.embedding", "mpkZP83MTL8="))),
    "models": ("ModelList", MODELS),
    "no models": ("ModelList", {"object": "list", "data": []}),
    "model": ("Model", {**MODEL, "shutdown_date": None, "permission": [], "max_model_len": 4096}),
    "model deleted": ("ModelDeleted", {"id": "ft:gpt-4o-mini:x", "object": "model", "deleted": True}),
    "error": ("ErrorEnvelope", {**ERROR, "status": 404}),
    "error of a parameter": ("ErrorEnvelope", changed(ERROR, edit("error.param", "n"), edit("error.code", None))),
    "page": ("ChatCompletionPage", PAGE),
    "page, empty": ("ChatCompletionPage", {**PAGE, "data": [], "first_id": None, "last_id": None}),
    "messages": ("StoredMessagePage", MESSAGES),
    "completion deleted": (
        "ChatCompletionDeleted",
        {"object": "chat.completion.deleted", "id": "chatcmpl-1", "deleted": True},
    ),
}

BREACHES = {
    "ChatCompletion": (
        CHAT,
        {
            "another object": edit("object", "chat.completions"),
            "no object": cut("object"),
            "no id": cut("id"),
            "empty id": edit("id", ""),
            "no model": cut("model"),
            "model null": edit("model", None),
            "created with a fraction": edit("created", 1760000000.25),
            "created as text": edit("created", "1760000000"),
            "created as a date": edit("created", "2026-11-23T10:00:00Z"),
            "no choices": cut("choices"),
            "choices empty": edit("choices", []),
            "choice without index": cut("choices.0.index"),
            "index as text": edit("choices.0.index", "0"),
            "choice without message": cut("choices.0.message"),
            "choice with text": edit("choices.0", {"index": 0, "text": "Hi", "finish_reason": "stop"}),
            "no role": cut("choices.0.message.role"),
            "another role": edit("choices.0.message.role", "model"),
            "no content": cut("choices.0.message.content"),
            "content in parts": edit("choices.0.message.content", [{"type": "text", "text": "Hi"}]),
            "no finish": cut("choices.0.finish_reason"),
            "finish null": edit("choices.0.finish_reason", None),
            "finish in capitals": edit("choices.0.finish_reason", "STOP"),
            "finish in the singular": edit("choices.0.finish_reason", "tool_call"),
            "finish of another API": edit("choices.0.finish_reason", "eos"),
            "usage by other names": edit("usage", {"input_tokens": 9, "output_tokens": 3, "total_tokens": 12}),
            "usage without completion": cut("usage.completion_tokens"),
            "usage with a fraction": edit("usage.total_tokens", 12.5),
            "usage below zero": edit("usage.completion_tokens", -1),
            "usage null": edit("usage", None),
            "logprobs as a list": edit("choices.0.logprobs", [TOKEN]),
            "logprobs of legacy": edit("choices.0.logprobs.content", {"tokens": ["Hi"]}),
            "token without logprob": cut("choices.0.logprobs.content.0.logprob"),
            "token without alternatives": cut("choices.0.logprobs.content.0.top_logprobs"),
            "bytes as text": edit("choices.0.logprobs.content.0.bytes", "Hi"),
            "refusal as a flag": edit("choices.0.message.refusal", False),
            "service tier unknown": edit("service_tier", "gold"),
        },
    ),
    "ChatCompletion called": (
        CALLED,
        {
            "call without id": cut("choices.0.message.tool_calls.0.id"),
            "call with an empty id": edit("choices.0.message.tool_calls.0.id", ""),
            "call without type": cut("choices.0.message.tool_calls.0.type"),
            "call of another type": edit("choices.0.message.tool_calls.0.type", "tool"),
            "call without function": cut("choices.0.message.tool_calls.0.function"),
            "call without name": cut("choices.0.message.tool_calls.0.function.name"),
            "arguments as an object": edit("choices.0.message.tool_calls.0.function.arguments", {"city": "Bern"}),
            "custom call without custom": edit("choices.0.message.tool_calls.0.type", "custom"),
            "content left out": cut("choices.0.message.content"),
            "calls as an object": edit("choices.0.message.tool_calls", CALL),
        },
    ),
    "ChatChunk": (
        CHUNK,
        {
            "object of the plain answer": edit("object", "chat.completion"),
            "no created": cut("created"),
            "model null": edit("model", None),
            "no choices": cut("choices"),
            "choices null": edit("choices", None),
            "choice without index": cut("choices.0.index"),
            "choice without delta": cut("choices.0.delta"),
            "delta null": edit("choices.0.delta", None),
            "message for delta": edit("choices.0", {"index": 0, "message": {"content": "Hi"}, "finish_reason": None}),
            "finish as the word null": edit("choices.0.finish_reason", "null"),
            "finish empty": edit("choices.0.finish_reason", ""),
            "no finish": cut("choices.0.finish_reason"),
            "content in parts": edit("choices.0.delta.content", [{"type": "text", "text": "Hi"}]),
            "another role": edit("choices.0.delta.role", "model"),
            "usage by other names": edit("usage", {"input_tokens": 1, "output_tokens": 1}),
            "usage as a number": edit("usage", 3),
        },
    ),
    "ChatChunk of a call": (
        CALL_CHUNK,
        {
            "call without index": cut("choices.0.delta.tool_calls.0.index"),
            "index as text": edit("choices.0.delta.tool_calls.0.index", "0"),
            "arguments as an object": edit("choices.0.delta.tool_calls.0.function.arguments", {}),
            "call of another type": edit("choices.0.delta.tool_calls.0.type", "tool"),
        },
    ),
    "Completion": (
        TEXT,
        {
            "object of chat": edit("object", "chat.completion"),
            "no text": cut("choices.0.text"),
            "text null": edit("choices.0.text", None),
            "message for text": edit("choices.0", {"index": 0, "message": {}, "finish_reason": "stop"}),
            "no index": cut("choices.0.index"),
            "finish null": edit("choices.0.finish_reason", None),
            "finish of chat": edit("choices.0.finish_reason", "tool_calls"),
            "choices empty": edit("choices", []),
            "logprobs of chat": edit("choices.0.logprobs", [TOKEN]),
            "logprobs as text": edit("choices.0.logprobs.token_logprobs", ["-1.5"]),
            "usage by other names": edit("usage", {"input_tokens": 1, "output_tokens": 1}),
        },
    ),
    "CompletionChunk": (
        TEXT_CHUNK,
        {
            "object of a chat chunk": edit("object", "text_completion.chunk"),
            "delta for text": edit("choices.0", {"index": 0, "delta": {"content": "x"}, "finish_reason": None}),
            "finish as the word null": edit("choices.0.finish_reason", "null"),
            "no id": cut("id"),
        },
    ),
    "EmbeddingList": (
        VECTORS,
        {
            "another object": edit("object", "embeddings"),
            "no usage": cut("usage"),
            "no model": cut("model"),
            "no data": edit("data", []),
            "no index": cut("data.0.index"),
            "vector empty": edit("data.0.embedding", []),
            "vector of vectors": edit("data.0.embedding", [[0.6, -0.8]]),
            "numbers as text": edit("data.0.embedding", ["0.6", "-0.8"]),
            "numbers in one text": edit("data.0.embedding", "[0.6, -0.8]"),
            "vector null": edit("data.0.embedding", None),
            "item without object": cut("data.0.object"),
            "usage by other names": edit("usage", {"input_tokens": 2, "total_tokens": 2}),
        },
    ),
    "ModelList": (
        MODELS,
        {
            "no object": cut("object"),
            "models for data": edit("data", None),
            "model without id": cut("data.0.id"),
            "model without object": cut("data.0.object"),
            "model without created": cut("data.0.created"),
            "created with a fraction": edit("data.0.created", 1744318173.5),
            "model without owner": cut("data.0.owned_by"),
        },
    ),
    "ErrorEnvelope": (
        ERROR,
        {
            "detail": edit("error", "No such model"),
            "no error": cut("error"),
            "no message": cut("error.message"),
            "message as an object": edit("error.message", {"text": "no"}),
            "no param": cut("error.param"),
            "no code": cut("error.code"),
            "no type": cut("error.type"),
            "type null": edit("error.type", None),
            "code as a number": edit("error.code", 404),
        },
    ),
    "StoredMessagePage": (
        MESSAGES,
        {
            "no cursor": cut("first_id"),
            "no has_more": cut("has_more"),
            "message without id": cut("data.0.id"),
            "message without content": cut("data.0.content"),
            "message of another role": edit("data.0.role", "bot"),
        },
    ),
}


@pytest.mark.parametrize("case", LEGAL)
def test_a_legal_answer_is_taken(case: str) -> None:
    name, body = LEGAL[case]
    assert [str(violation) for violation in SPEC.schema(name).violations(body)] == []


@pytest.mark.parametrize(
    ("name", "case"), [(name, case) for name, (_, cases) in BREACHES.items() for case in cases], ids=str
)
def test_the_nearest_breach_is_refused(name: str, case: str) -> None:
    legal, cases = BREACHES[name]
    schema = name.split()[0]
    assert holds(schema, legal)
    assert not holds(schema, changed(legal, cases[case]))


def test_a_breach_is_reported_where_it_is() -> None:
    broken = changed(CALLED, cut("choices.0.message.tool_calls.0.function"))
    found = [(v.pointer, v.keyword) for v in SPEC.schema("ChatCompletion").violations(broken)]
    assert found == [("/choices/0/message/tool_calls/0", "required")]
