"""Batches of the stand-in: they run their lines through the other operations, in time, and say what came of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from standin.asking import CHAT, EMBEDDING, LEGACY, Clock, ask, backend, error, form, post, user

from wireproof.spec import load_spec
from wireproof.standin.backend import Backend, Setup
from wireproof.standin.sizes import Sizes
from wireproof.standin.wire import Answer

CHATS, EMBEDDINGS = "/v1/chat/completions", "/v1/embeddings"
Lines = list[dict[str, Any]]
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5Er"
    "kJggg=="
)


def chat_line(id: str, text: str = "Hello", url: str = CHATS, **fields: Any) -> dict[str, Any]:
    body = {"model": CHAT, "messages": user(text), **fields}
    return {"custom_id": id, "method": "POST", "url": url, "body": body}


def embedding_line(id: str, given: Any = "x") -> dict[str, Any]:
    body = {"model": EMBEDDING, "input": given, "dimensions": 8}
    return {"custom_id": id, "method": "POST", "url": EMBEDDINGS, "body": body}


def uploaded(to: Backend, lines: Lines | bytes, purpose: str = "batch") -> str:
    data = lines if isinstance(lines, bytes) else "\n".join(map(json.dumps, lines)).encode()
    id: str = to.answer(form("/files", {"file": ("in.jsonl", data), "purpose": purpose})).json["id"]
    return id


def begun(to: Backend, lines: Lines | bytes, endpoint: str = CHATS, **fields: Any) -> dict[str, Any]:
    body = {"input_file_id": uploaded(to, lines), "endpoint": endpoint, "completion_window": "24h", **fields}
    answer = post("/batches", body, to)
    assert answer.status == 200, answer.body
    batch: dict[str, Any] = answer.json
    return batch


def now(to: Backend, batch: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = to.answer(ask("GET", f"/batches/{batch['id']}")).json
    return found


def cancel(to: Backend, batch: dict[str, Any]) -> Answer:
    return post(f"/batches/{batch['id']}/cancel", {}, to)


def results(to: Backend, file_id: str | None) -> dict[str, Any]:
    """The lines of a result by custom_id, each as the description has it."""
    if file_id is None:
        return {}
    lines = [json.loads(line) for line in to.answer(ask("GET", f"/files/{file_id}/content")).body.splitlines()]
    schema = load_spec().schema("BatchResultLine")
    assert [list(schema.violations(line)) for line in lines] == [[]] * len(lines)
    found = {line["custom_id"]: line for line in lines}
    assert len(found) == len(lines)
    return found


def finished(lines: Lines | bytes, endpoint: str = CHATS, setup: Setup | None = None) -> tuple[Backend, dict[str, Any]]:
    clock = Clock()
    to = backend(setup, clock)
    batch = begun(to, lines, endpoint)
    clock.now += 3600
    return to, now(to, batch)


def test_a_batch_goes_its_way_from_state_to_state() -> None:
    clock = Clock()
    to = backend(Setup(sizes=Sizes(batch_slice=2)), clock)
    batch = begun(to, [chat_line(str(n)) for n in range(5)], metadata={"job": "1"})
    assert batch["status"] == "validating"
    seen = [(batch["status"], batch["request_counts"]["completed"])]
    for _ in range(40):
        clock.now += 0.1
        batch = now(to, batch)
        if (step := (batch["status"], batch["request_counts"]["completed"])) != seen[-1]:
            seen.append(step)
    assert seen == [
        ("validating", 0), ("in_progress", 0), ("in_progress", 2), ("in_progress", 4), ("finalizing", 5),
        ("completed", 5),
    ]  # fmt: skip
    assert (batch["metadata"], batch["model"], batch["errors"]) == ({"job": "1"}, "gpt-4.1-mini-2025-04-14", None)
    moments = [batch[f"{step}_at"] for step in ("created", "in_progress", "finalizing", "completed")]
    assert moments == sorted(moments)
    assert batch["expires_at"] == batch["created_at"] + 24 * 3600


def test_a_line_is_answered_as_if_it_had_been_asked_alone() -> None:
    to, batch = finished([chat_line("a", "Red?", seed=3), chat_line("b", "Blue?", max_tokens=2)])
    lines = results(to, batch["output_file_id"])
    assert set(lines) == {"a", "b"}
    assert lines["a"]["id"].startswith("batch_req_")
    assert lines["a"]["error"] is None
    assert lines["a"]["response"]["status_code"] == 200
    assert lines["a"]["response"]["request_id"].startswith("req_")
    alone = post("/chat/completions", chat_line("a", "Red?", seed=3)["body"], to).json
    assert lines["a"]["response"]["body"]["choices"] == alone["choices"]
    assert lines["b"]["response"]["body"]["choices"][0]["finish_reason"] == "length"
    assert load_spec().schema("ChatCompletion").holds(lines["a"]["response"]["body"])
    assert batch["error_file_id"] is None


def test_usage_is_the_sum_of_the_lines() -> None:
    long = "word " * 1500
    to, batch = finished([chat_line("a", long, max_tokens=3), chat_line("b", long, max_tokens=5)])
    bodies = [line["response"]["body"]["usage"] for line in results(to, batch["output_file_id"]).values()]
    assert batch["usage"]["input_tokens"] == sum(one["prompt_tokens"] for one in bodies)
    assert batch["usage"]["output_tokens"] == 8
    assert batch["usage"]["total_tokens"] == sum(one["total_tokens"] for one in bodies)
    assert batch["usage"]["input_tokens_details"]["cached_tokens"] > 1024


def test_embeddings_are_batched_as_well() -> None:
    to, batch = finished([embedding_line(str(n), ["x", "y"]) for n in range(3)], EMBEDDINGS)
    lines = results(to, batch["output_file_id"])
    assert [len(line["response"]["body"]["data"]) for line in lines.values()] == [2, 2, 2]
    assert (batch["usage"]["output_tokens"], batch["usage"]["total_tokens"]) == (0, batch["usage"]["input_tokens"])


# The least body of each endpoint that a batch may name, and the object that answers it.
ENDPOINTS: dict[str, tuple[dict[str, Any], str]] = {
    CHATS: ({"model": CHAT, "messages": user("Hello")}, "chat.completion"),
    "/v1/completions": ({"model": LEGACY, "prompt": "Once"}, "text_completion"),
    "/v1/responses": ({"model": CHAT, "input": "Hello"}, "response"),
    EMBEDDINGS: ({"model": EMBEDDING, "input": "x"}, "list"),
    "/v1/moderations": ({"input": "Hello"}, ""),
    "/v1/images/generations": ({"model": "gpt-image-1", "prompt": "a river"}, ""),
    "/v1/images/edits": ({"model": "gpt-image-1", "prompt": "a river", "images": [{"image_url": PIXEL}]}, ""),
    "/v1/videos": ({"model": "sora-2", "prompt": "a river"}, "video"),
}


def test_every_endpoint_that_a_batch_may_name_is_tried_here() -> None:
    assert set(ENDPOINTS) == set(load_spec().document["components"]["schemas"]["BatchEndpoint"]["enum"])


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_batch_runs_through_any_of_its_endpoints(endpoint: str) -> None:
    body, kind = ENDPOINTS[endpoint]
    to, batch = finished([{"custom_id": "a", "method": "POST", "url": endpoint, "body": body}], endpoint)
    assert batch["request_counts"]["completed"] == 1, results(to, batch["error_file_id"])
    line = results(to, batch["output_file_id"])["a"]
    assert line["response"]["body"].get("object", "") == kind
    operation = load_spec().operation_for("POST", endpoint.removeprefix("/v1"))
    assert operation is not None
    schema = operation.answer_schema(200)
    assert schema is not None
    assert list(schema.violations(line["response"]["body"])) == []


def test_a_line_that_fails_is_told_in_the_file_of_errors_and_hinders_no_other() -> None:
    to, batch = finished([chat_line("good"), chat_line("hot", temperature=3), chat_line("live", stream=True)])
    assert (batch["status"], batch["request_counts"]) == ("completed", {"total": 3, "completed": 1, "failed": 2})
    assert set(results(to, batch["output_file_id"])) == {"good"}
    bad = results(to, batch["error_file_id"])
    assert {id: line["response"]["status_code"] for id, line in bad.items()} == {"hot": 400, "live": 400}
    assert bad["hot"]["response"]["body"]["error"]["param"] == "temperature"
    assert bad["live"]["response"]["body"]["error"]["param"] == "stream"


def test_a_batch_without_one_good_line_has_no_output() -> None:
    to, batch = finished([chat_line("hot", temperature=3)])
    assert (batch["status"], batch["output_file_id"]) == ("completed", None)
    assert set(results(to, batch["error_file_id"])) == {"hot"}


def test_the_order_of_the_output_is_not_that_of_the_input() -> None:
    ids = [f"{n:02}" for n in range(30)]
    to, batch = finished([chat_line(id) for id in ids])
    told = list(results(to, batch["output_file_id"]))
    assert (sorted(told), told == ids) == (ids, False)


BAD_LINE = {"custom_id": "b", "method": "POST", "url": CHATS}
INVALID: list[tuple[str, Lines | bytes, list[tuple[str, int | None, str | None]]]] = [
    ("nothing in it", b"\n \n", [("empty_file", None, None)]),
    ("no JSON", b'{"custom_id": \nnull\n', [("invalid_json_line", 1, None), ("invalid_json_line", 2, None)]),
    ("a key missing", [chat_line("a"), BAD_LINE], [("invalid_request", 2, "body")]),
    ("another method", [{**chat_line("a"), "method": "GET"}], [("invalid_request", 1, "method")]),
    ("an id twice", [chat_line("a"), chat_line("b"), chat_line("a")], [("duplicate_custom_id", 3, "custom_id")]),
    ("another endpoint", [chat_line("a", url="/v1/responses")], [("url_mismatch", 1, "url")]),
    ("two models", [chat_line("a"), chat_line("b", model="gpt-4o-mini")], [("model_mismatch", 2, "body.model")]),
    ("no such model", [chat_line("a", model="gpt-0")], [("model_not_found", 1, "body.model")]),
    ("too many", [chat_line(str(n)) for n in range(7)], [("too_many_tasks", None, None)]),
    ("too large", b" " * 3000, [("invalid_request", None, None)]),
    ("two reasons", [chat_line("a"), chat_line("a", url="/v1/responses")],
     [("duplicate_custom_id", 2, "custom_id"), ("url_mismatch", 2, "url")]),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "errors"), [row[1:] for row in INVALID], ids=[row[0] for row in INVALID])
def test_a_file_that_cannot_be_run_fails_with_every_reason_and_its_line(
    lines: Lines | bytes, errors: list[tuple[str, int | None, str | None]]
) -> None:
    batch = finished(lines, setup=Setup(sizes=Sizes(batch_requests=6, batch_bytes=2000)))[1]
    assert batch["status"] == "failed"
    assert [(one["code"], one["line"], one["param"]) for one in batch["errors"]["data"]] == errors
    assert batch["request_counts"] == {"total": 0, "completed": 0, "failed": 0}
    assert (batch["output_file_id"], batch["error_file_id"], batch["in_progress_at"]) == (None, None, None)
    assert batch["failed_at"] > batch["created_at"]


def test_embeddings_are_limited_by_their_inputs() -> None:
    setup = Setup(sizes=Sizes(batch_embedding_inputs=3))
    assert finished([embedding_line("a", ["x", "y"]), embedding_line("b", [1, 2])], EMBEDDINGS, setup)[1]["status"] == (
        "completed"
    )
    failed = finished([embedding_line("a", ["x", "y"]), embedding_line("b", ["x", "y"])], EMBEDDINGS, setup)[1]
    assert failed["errors"]["data"][0]["code"] == "too_many_tasks"


def test_a_batch_needs_a_file_that_is_there_and_meant_for_it() -> None:
    to = backend()
    body = {"input_file_id": "file-none", "endpoint": CHATS, "completion_window": "24h"}
    assert (post("/batches", body, to).status, error(post("/batches", body, to))["param"]) == (404, "input_file_id")
    other = uploaded(to, [chat_line("a")], "user_data")
    assert error(post("/batches", {**body, "input_file_id": other}, to))["param"] == "input_file_id"
    assert error(post("/batches", {**body, "endpoint": "/v1/files"}, to))["param"] == "endpoint"
    assert error(post("/batches", {**body, "completion_window": "1h"}, to))["param"] == "completion_window"
    assert to.answer(ask("GET", "/batches/batch_none")).status == 404


def test_a_file_deleted_before_it_was_read_leaves_nothing_to_do() -> None:
    clock = Clock()
    to = backend(clock=clock)
    batch = begun(to, [chat_line("a")])
    to.answer(ask("DELETE", f"/files/{batch['input_file_id']}"))
    clock.now += 10
    assert now(to, batch)["errors"]["data"][0]["code"] == "empty_file"


def test_a_cancelled_batch_keeps_what_it_had() -> None:
    clock = Clock()
    to = backend(Setup(sizes=Sizes(batch_slice=2)), clock)
    batch = begun(to, [chat_line(str(n)) for n in range(10)])
    clock.now += 2
    assert cancel(to, batch).json["status"] == "cancelling"
    assert cancel(to, batch).json["status"] == "cancelling"
    done = now(to, batch)["request_counts"]["completed"]
    assert 0 < done < 10
    clock.now += 2
    batch = now(to, batch)
    assert (batch["status"], batch["request_counts"]["completed"]) == ("cancelled", done)
    assert len(results(to, batch["output_file_id"])) == done
    assert batch["cancelling_at"] <= batch["cancelled_at"]
    answer = cancel(to, batch)
    assert (answer.status, error(answer)["message"]) == (409, "Cannot cancel a batch with status 'cancelled'.")


def test_a_batch_cancelled_at_once_has_done_nothing() -> None:
    clock = Clock()
    to = backend(clock=clock)
    batch = begun(to, [chat_line("a")])
    cancel(to, batch)
    clock.now += 60
    batch = now(to, batch)
    assert (batch["status"], batch["output_file_id"], batch["in_progress_at"]) == ("cancelled", None, None)


def test_what_was_not_done_in_a_day_expires_line_by_line() -> None:
    clock = Clock()
    to = backend(Setup(sizes=Sizes(batch_slice=1), pace=1e-5), clock)
    batch = begun(to, [chat_line(str(n)) for n in range(3)])
    # At this pace the file is read after 100,000 s, more than a day.
    clock.now += 24 * 3600
    assert now(to, batch)["status"] == "expired"
    to = backend(Setup(sizes=Sizes(batch_slice=1), pace=2e-5), clock)
    batch = begun(to, [chat_line(str(n)) for n in range(3)])
    clock.now += 24 * 3600
    batch = now(to, batch)
    assert (batch["status"], batch["request_counts"]) == ("expired", {"total": 3, "completed": 1, "failed": 2})
    assert len(results(to, batch["output_file_id"])) == 1
    late = results(to, batch["error_file_id"])
    assert [(line["response"], line["error"]["code"]) for line in late.values()] == [(None, "batch_expired")] * 2


def test_the_output_expires_as_asked_counted_from_its_own_making() -> None:
    clock = Clock()
    to = backend(clock=clock)
    batch = begun(to, [chat_line("a")], output_expires_after={"anchor": "created_at", "seconds": 7200})
    clock.now += 60
    file = to.answer(ask("GET", f"/files/{now(to, batch)['output_file_id']}")).json
    assert (file["purpose"], file["expires_at"]) == ("batch_output", file["created_at"] + 7200)


def test_batches_do_not_count_against_the_tier_but_have_a_queue_of_their_own() -> None:
    clock = Clock()
    to = backend(Setup(tier="tier-1", scale=0.02), clock)  # 10 requests a minute, 40,000 tokens enqueued
    first = begun(to, [chat_line(str(n)) for n in range(30)])
    clock.now += 60
    assert now(to, first)["request_counts"]["completed"] == 30
    big = [chat_line(str(n), "word " * 2000) for n in range(10)]
    waiting, refused = begun(to, big), begun(to, big)
    clock.now += 1
    assert now(to, waiting)["status"] == "in_progress"
    failed = now(to, refused)
    assert (failed["status"], failed["errors"]["data"][0]["code"]) == ("failed", "token_limit_exceeded")
    clock.now += 60
    again = begun(to, big)
    clock.now += 60
    assert now(to, again)["status"] == "completed"


def test_batches_are_listed_newest_first() -> None:
    to = backend()
    made = [begun(to, [chat_line("a")])["id"] for _ in range(5)][::-1]
    first = to.answer(ask("GET", "/batches", limit="2")).json
    assert ([row["id"] for row in first["data"]], first["has_more"]) == (made[:2], True)
    rest = to.answer(ask("GET", "/batches", after=first["last_id"])).json
    assert ([row["id"] for row in rest["data"]], rest["has_more"]) == (made[2:], False)
    assert to.answer(ask("GET", "/batches", limit="101")).status == 400


def test_a_restart_goes_on_where_it_stopped(tmp_path: Path) -> None:
    clock = Clock()
    setup = Setup(state=tmp_path / "state", sizes=Sizes(batch_slice=2))
    first = backend(setup, clock)
    batch = begun(first, [chat_line(str(n)) for n in range(6)])
    clock.now += 1.6
    assert now(first, batch)["request_counts"]["completed"] == 2
    first.close()
    second = Backend(setup, clock=clock, boot="second")
    clock.now += 60
    batch = now(second, batch)
    assert batch["request_counts"] == {"total": 6, "completed": 6, "failed": 0}
    assert set(results(second, batch["output_file_id"])) == set("012345")
    second.close()


def test_a_request_waits_for_a_bounded_piece_of_a_large_batch_only() -> None:
    clock = Clock()
    to = backend(Setup(sizes=Sizes(batch_slice=1)), clock)
    batch = begun(to, [chat_line(str(n), max_tokens=1) for n in range(300)])
    clock.now += 3600
    done = now(to, batch)["request_counts"]["completed"]
    assert 0 < done < 300
    assert now(to, batch)["request_counts"]["completed"] == 300
