"""Vector stores by the clock: files come in, are found, fail, are stopped; stores expire."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from standin.asking import Clock, ask, backend, error
from standin.filing import filed

from wireproof.standin.backend import Backend, Setup
from wireproof.standin.resources.vector_stores.search import search

DAY_S = 86_400
REFUNDS = "Refunds are paid within ten days of the return of the goods."
MOON = "The moon is a long way off, and nobody lives there."


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def served(clock: Clock) -> Backend:
    return backend(clock=clock)


def get(to: Backend, path: str, **query: str) -> Any:
    answer = to.answer(ask("GET", path, **query))
    assert answer.status == 200, answer.body
    return answer.json


def post(to: Backend, path: str, body: Any = None) -> Any:
    answer = to.answer(ask("POST", path, body))
    assert answer.status == 200, answer.body
    return answer.json


def refused(to: Backend, method: str, path: str, body: Any = None, status: int = 400) -> dict[str, Any]:
    answer = to.answer(ask(method, path, body))
    assert answer.status == status, answer.body
    return error(answer)


def store(to: Backend, **fields: Any) -> str:
    return str(post(to, "/vector_stores", fields)["id"])


def filled(to: Backend, clock: Clock, texts: dict[str, str]) -> str:
    """A store that has taken in one file for each name and text."""
    id = store(to, file_ids=[filed(to, text, name) for name, text in texts.items()])
    clock.now += 60
    assert get(to, f"/vector_stores/{id}")["file_counts"]["completed"] == len(texts)
    return id


def test_a_new_store_is_empty_and_ready(served: Backend) -> None:
    made = post(served, "/vector_stores", {"name": "Shelf", "description": "Books", "metadata": {"a": "b"}})
    assert made["id"].startswith("vs_")
    assert (made["name"], made["description"], made["metadata"]) == ("Shelf", "Books", {"a": "b"})
    assert (made["status"], made["usage_bytes"], made["file_counts"]["total"]) == ("completed", 0, 0)
    assert made["expires_after"] is made["expires_at"] is None
    assert get(served, f"/vector_stores/{made['id']}") == made


def test_files_are_in_progress_first_and_completed_later(served: Backend, clock: Clock) -> None:
    file_id = filed(served, REFUNDS)
    id = store(served, file_ids=[file_id])
    begun = get(served, f"/vector_stores/{id}")
    assert (begun["status"], begun["file_counts"]["in_progress"], begun["usage_bytes"]) == ("in_progress", 1, 0)
    file = get(served, f"/vector_stores/{id}/files/{file_id}")
    assert (file["status"], file["usage_bytes"], file["last_error"]) == ("in_progress", 0, None)
    assert file["chunking_strategy"]["static"] == {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400}
    clock.now += 2
    file = get(served, f"/vector_stores/{id}/files/{file_id}")
    assert (file["status"], file["usage_bytes"]) == ("completed", len(REFUNDS))
    ready = get(served, f"/vector_stores/{id}")
    assert (ready["status"], ready["file_counts"]["completed"], ready["usage_bytes"]) == ("completed", 1, len(REFUNDS))


def test_the_pace_of_the_backend_is_that_of_the_files(clock: Clock) -> None:
    served = backend(Setup(pace=100), clock)
    id = store(served, file_ids=[filed(served)])
    clock.now += 0.02
    assert get(served, f"/vector_stores/{id}")["status"] == "completed"


def test_a_client_that_polls_is_told_when_to_come_again(served: Backend, clock: Clock) -> None:
    id, file_id = store(served), filed(served)
    answer = served.answer(ask("POST", f"/vector_stores/{id}/files", {"file_id": file_id}))
    assert answer.header("openai-poll-after-ms") == "500"
    clock.now += 2
    assert served.answer(ask("GET", f"/vector_stores/{id}/files/{file_id}")).header("openai-poll-after-ms") is None


@pytest.mark.parametrize(("name", "code"), [("a.png", "unsupported_file"), ("a.txt", "invalid_file")])
def test_a_file_that_cannot_be_read_fails_with_a_reason(served: Backend, clock: Clock, name: str, code: str) -> None:
    file_id = filed(served, b"\x89PNG\x00\xff", name)
    id = store(served, file_ids=[file_id])
    clock.now += 2
    file = get(served, f"/vector_stores/{id}/files/{file_id}")
    assert (file["status"], file["last_error"]["code"], file["usage_bytes"]) == ("failed", code, 0)
    assert get(served, f"/vector_stores/{id}")["file_counts"]["failed"] == 1
    assert get(served, f"/vector_stores/{id}")["status"] == "completed"
    assert get(served, f"/vector_stores/{id}/files/{file_id}/content")["data"] == []


def test_a_long_file_is_cut_in_many_and_its_content_is_whole(served: Backend, clock: Clock) -> None:
    text = "".join(f"Sentence number {number} stands here. " for number in range(20_000))
    file_id = filed(served, text)
    id = store(served)
    static = {"max_chunk_size_tokens": 1000, "chunk_overlap_tokens": 100}
    post(
        served,
        f"/vector_stores/{id}/files",
        {"file_id": file_id, "chunking_strategy": {"type": "static", "static": static}},
    )
    clock.now += 5
    assert get(served, f"/vector_stores/{id}/files/{file_id}")["usage_bytes"] > len(text)
    pieces = get(served, f"/vector_stores/{id}/files/{file_id}/content")["data"]
    assert len(pieces) > 100
    assert "".join(piece["text"] for piece in pieces) == text
    found = post(served, f"/vector_stores/{id}/search", {"query": "number 19999", "max_num_results": 1})
    assert "19999" in found["data"][0]["content"][0]["text"]


def test_a_search_ranks_what_shares_words_first(served: Backend, clock: Clock) -> None:
    id = filled(served, clock, {"moon.md": MOON, "refunds.md": REFUNDS})
    page = post(served, f"/vector_stores/{id}/search", {"query": "When are refunds paid?"})
    assert page["search_query"] == ["When are refunds paid?"]
    assert [one["filename"] for one in page["data"]] == ["refunds.md", "moon.md"]
    assert page["data"][0]["content"] == [{"type": "text", "text": REFUNDS}]
    scores = [one["score"] for one in page["data"]]
    assert 1 >= scores[0] > scores[1] >= 0
    best = post(
        served, f"/vector_stores/{id}/search",
        {"query": "When are refunds paid?", "ranking_options": {"score_threshold": scores[0]}},
    )  # fmt: skip
    assert len(best["data"]) == 1


def test_a_search_takes_several_queries_and_rewrites_them(served: Backend, clock: Clock) -> None:
    id = filled(served, clock, {"moon.md": MOON, "refunds.md": REFUNDS, "rain.md": "Rain falls."})
    body = {"query": ["What about the moon?", "and a refund"], "rewrite_query": True, "max_num_results": 2}
    page = post(served, f"/vector_stores/{id}/search", body)
    assert page["search_query"] == ["moon", "refund"]
    assert {one["filename"] for one in page["data"]} == {"moon.md", "refunds.md"}


def test_filters_go_by_attributes_which_can_be_replaced(served: Backend, clock: Clock) -> None:
    id = filled(served, clock, {"a.md": MOON, "b.md": MOON})
    newer, older = get(served, f"/vector_stores/{id}/files")["data"]
    changed = post(served, f"/vector_stores/{id}/files/{newer['id']}", {"attributes": {"year": 2026, "kind": "note"}})
    assert changed["attributes"] == {"year": 2026, "kind": "note"}
    post(served, f"/vector_stores/{id}/files/{older['id']}", {"attributes": {"year": 2020}})
    wanted = {"type": "and", "filters": [{"type": "gte", "key": "year", "value": 2021}]}
    found = post(served, f"/vector_stores/{id}/search", {"query": "moon", "filters": wanted})["data"]
    assert [(one["file_id"], one["attributes"]["year"]) for one in found] == [(newer["id"], 2026)]
    post(served, f"/vector_stores/{id}/files/{newer['id']}", {"attributes": None})
    assert post(served, f"/vector_stores/{id}/search", {"query": "moon", "filters": wanted})["data"] == []


def test_a_filter_may_be_as_deep_as_can_be_read(served: Backend, clock: Clock) -> None:
    id = filled(served, clock, {"a.md": MOON})
    for depth in (10, 400, 450, 480, 2000):
        filters = '{"type": "and", "filters": [' * depth + '{"type": "ne", "key": "a", "value": 1}' + "]}" * depth
        answer = served.answer(
            ask("POST", f"/vector_stores/{id}/search", f'{{"query": "a", "filters": {filters}}}'.encode())
        )
        assert answer.status == 400 or len(answer.json["data"]) == 1, depth


def test_tools_search_several_stores_at_once(served: Backend, clock: Clock) -> None:
    ids = [filled(served, clock, {"moon.md": MOON}), filled(served, clock, {"refunds.md": REFUNDS})]
    found = search(served.world, ids, "refunds", 5)
    assert [(one.store_id, one.filename) for one in found] == [(ids[1], "refunds.md"), (ids[0], "moon.md")]
    assert [one.filename for one in search(served.world, ids, "refunds", 1)] == ["refunds.md"]


def test_a_file_taken_out_is_not_found_any_more_but_its_file_stays(served: Backend, clock: Clock) -> None:
    id = filled(served, clock, {"moon.md": MOON})
    file_id = get(served, f"/vector_stores/{id}/files")["first_id"]
    gone = served.answer(ask("DELETE", f"/vector_stores/{id}/files/{file_id}")).json
    assert gone == {"id": file_id, "object": "vector_store.file.deleted", "deleted": True}
    assert post(served, f"/vector_stores/{id}/search", {"query": "moon"})["data"] == []
    refused(served, "GET", f"/vector_stores/{id}/files/{file_id}", status=404)
    assert file_id in served.world.table("files")
    assert served.world.store.sizes()["vector_stores.chunks"] == 0


def test_a_deleted_file_leaves_the_stores_it_was_in(served: Backend, clock: Clock) -> None:
    id = filled(served, clock, {"moon.md": MOON, "refunds.md": REFUNDS})
    first, second = [row["id"] for row in get(served, f"/vector_stores/{id}/files")["data"]]
    served.world.table("files").delete(first)
    refused(served, "GET", f"/vector_stores/{id}/files/{first}", status=404)
    assert get(served, f"/vector_stores/{id}")["file_counts"]["total"] == 1
    served.world.table("files").delete(second)
    assert get(served, f"/vector_stores/{id}")["usage_bytes"] == 0


def test_a_file_taken_in_again_is_cut_anew(served: Backend, clock: Clock) -> None:
    id = filled(served, clock, {"long.md": "word " * 300})
    file_id = get(served, f"/vector_stores/{id}/files")["first_id"]
    static = {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 0}}
    again = post(served, f"/vector_stores/{id}/files", {"file_id": file_id, "chunking_strategy": static})
    assert again["status"] == "in_progress"
    assert get(served, f"/vector_stores/{id}")["file_counts"]["total"] == 1
    clock.now += 2
    assert len(post(served, f"/vector_stores/{id}/search", {"query": "word"})["data"]) > 1


def test_a_store_can_be_renamed_and_deleted(served: Backend, clock: Clock) -> None:
    id = filled(served, clock, {"moon.md": MOON})
    assert post(served, f"/vector_stores/{id}", {"name": "New", "metadata": {"k": "v"}})["name"] == "New"
    assert post(served, f"/vector_stores/{id}", {"name": None, "metadata": None})["metadata"] == {}
    assert served.answer(ask("DELETE", f"/vector_stores/{id}")).json["deleted"] is True
    refused(served, "GET", f"/vector_stores/{id}", status=404)
    refused(served, "POST", f"/vector_stores/{id}/search", {"query": "moon"}, status=404)
    sizes = served.world.store.sizes()
    assert [sizes[kind] for kind in sizes if kind.startswith("vector_stores")] == [0, 0, 0, 0]


def test_a_store_expires_when_nobody_uses_it(served: Backend, clock: Clock) -> None:
    id = store(served, expires_after={"anchor": "last_active_at", "days": 2}, file_ids=[filed(served)])
    clock.now += DAY_S
    assert get(served, f"/vector_stores/{id}")["expires_at"] == 1_000_000 + 2 * DAY_S
    post(served, f"/vector_stores/{id}/search", {"query": "rain"})
    clock.now += 2 * DAY_S - 1
    assert get(served, f"/vector_stores/{id}")["status"] == "completed"
    clock.now += 1
    assert get(served, f"/vector_stores/{id}")["status"] == "expired"
    for path, body in {
        "/search": {"query": "rain"},
        "/files": {"file_id": "file-1"},
        "/file_batches": {"file_ids": ["file-1"]},
        "": {"name": "Again"},
    }.items():
        assert refused(served, "POST", f"/vector_stores/{id}{path}", body)["code"] == "vector_store_expired"


def test_unknown_files_are_refused_before_anything_is_made(served: Backend) -> None:
    assert refused(served, "POST", "/vector_stores", {"file_ids": ["file-none"]}, 404)["param"] == "file_ids"
    assert get(served, "/vector_stores")["data"] == []
    id = store(served)
    refused(served, "POST", f"/vector_stores/{id}/files", {"file_id": "file-none"}, 404)
    refused(served, "POST", f"/vector_stores/{id}/file_batches", {"file_ids": ["file-none"]}, 404)


def test_lists_go_forwards_and_backwards(served: Backend) -> None:
    ids = [store(served) for _ in range(25)]
    first = get(served, "/vector_stores")
    assert [row["id"] for row in first["data"]] == ids[:4:-1]
    assert first["has_more"]
    rest = get(served, "/vector_stores", after=first["last_id"])
    assert [row["id"] for row in rest["data"]] == ids[4::-1]
    back = get(served, "/vector_stores", before=rest["first_id"], limit="3")
    assert [row["id"] for row in back["data"]] == ids[7:4:-1]
    assert [row["id"] for row in get(served, "/vector_stores", order="asc", limit="2")["data"]] == ids[:2]
    assert served.answer(ask("GET", "/vector_stores", limit="101")).status == 400


def test_a_batch_counts_its_files_as_they_end(served: Backend, clock: Clock) -> None:
    id = store(served)
    good, bad = filed(served, MOON), filed(served, b"\0", "a.bin")
    batch = post(served, f"/vector_stores/{id}/file_batches", {"file_ids": [good, bad], "attributes": {"a": 1}})
    assert batch["id"].startswith("vsfb_")
    assert (batch["status"], batch["file_counts"]["in_progress"]) == ("in_progress", 2)
    clock.now += 1.51
    counts = get(served, f"/vector_stores/{id}/file_batches/{batch['id']}")["file_counts"]
    assert (counts["completed"], counts["in_progress"]) == (1, 1)
    clock.now += 1
    batch = get(served, f"/vector_stores/{id}/file_batches/{batch['id']}")
    assert (batch["status"], batch["file_counts"]["completed"], batch["file_counts"]["failed"]) == ("completed", 1, 1)
    path = f"/vector_stores/{id}/file_batches/{batch['id']}/files"
    assert [row["id"] for row in get(served, path)["data"]] == [bad, good]
    assert [row["id"] for row in get(served, path, filter="failed")["data"]] == [bad]
    assert [row["id"] for row in get(served, f"/vector_stores/{id}/files", filter="completed")["data"]] == [good]
    assert get(served, f"/vector_stores/{id}/files/{good}")["attributes"] == {"a": 1}


def test_a_batch_of_which_nothing_could_be_read_has_failed(served: Backend, clock: Clock) -> None:
    id = store(served)
    batch = post(served, f"/vector_stores/{id}/file_batches", {"file_ids": [filed(served, b"\0", "a.bin")]})
    clock.now += 2
    assert get(served, f"/vector_stores/{id}/file_batches/{batch['id']}")["status"] == "failed"
    refused(served, "POST", f"/vector_stores/{id}/file_batches/{batch['id']}/cancel")


def test_a_cancelled_batch_keeps_what_is_in_and_stops_the_rest(served: Backend, clock: Clock) -> None:
    id = store(served)
    ids = [filed(served, MOON) for _ in range(3)]
    batch = post(served, f"/vector_stores/{id}/file_batches", {"file_ids": ids})
    clock.now += 1.51
    cancelled = post(served, f"/vector_stores/{id}/file_batches/{batch['id']}/cancel")
    assert cancelled["status"] == "cancelled"
    assert (cancelled["file_counts"]["completed"], cancelled["file_counts"]["cancelled"]) == (1, 2)
    clock.now += 60
    assert post(served, f"/vector_stores/{id}/file_batches/{batch['id']}/cancel") == cancelled
    assert get(served, f"/vector_stores/{id}")["file_counts"]["cancelled"] == 2
    assert len(post(served, f"/vector_stores/{id}/search", {"query": "moon"})["data"]) == 1


def test_the_files_of_a_batch_can_each_have_their_own_settings(served: Backend) -> None:
    id = store(served)
    static = {"type": "static", "static": {"max_chunk_size_tokens": 200, "chunk_overlap_tokens": 20}}
    first, second = filed(served), filed(served)
    files = [{"file_id": first, "chunking_strategy": static}, {"file_id": second, "attributes": {"n": 2}}]
    post(served, f"/vector_stores/{id}/file_batches", {"files": files, "attributes": {"n": 1}})
    assert get(served, f"/vector_stores/{id}/files/{first}")["chunking_strategy"] == static
    assert get(served, f"/vector_stores/{id}/files/{first}")["attributes"] == {}
    assert get(served, f"/vector_stores/{id}/files/{second}")["attributes"] == {"n": 2}
    refused(served, "POST", f"/vector_stores/{id}/file_batches", {"files": files, "file_ids": [first]})
    refused(served, "POST", f"/vector_stores/{id}/file_batches", {})


def test_two_thousand_files_come_in_and_are_listed_without_a_gap(served: Backend, clock: Clock) -> None:
    id = store(served)
    ids = [filed(served, f"Rain number {number}.") for number in range(2000)]
    batch = post(served, f"/vector_stores/{id}/file_batches", {"file_ids": ids})
    clock.now += 3600
    for _ in range(10):
        get(served, "/vector_stores")
    assert get(served, f"/vector_stores/{id}/file_batches/{batch['id']}")["file_counts"]["completed"] == 2000
    seen: list[str] = []
    query = {"limit": "100", "order": "asc"}
    while True:
        page = get(served, f"/vector_stores/{id}/files", **query)
        seen += [row["id"] for row in page["data"]]
        if not page["has_more"]:
            break
        query["after"] = page["last_id"]
    assert seen == ids
    found = post(served, f"/vector_stores/{id}/search", {"query": "number 1234", "max_num_results": 50})["data"]
    assert found[0]["file_id"] == ids[1234]
    assert len(found) == 50


def test_a_store_takes_300_writes_a_minute(served: Backend, clock: Clock) -> None:
    id, file_id = store(served), filed(served)
    for _ in range(300):
        post(served, f"/vector_stores/{id}/files", {"file_id": file_id})
    assert refused(served, "POST", f"/vector_stores/{id}/file_batches", {"file_ids": [file_id]}, 429)["code"] == (
        "rate_limit_exceeded"
    )
    post(served, f"/vector_stores/{store(served)}/files", {"file_id": file_id})
    clock.now += 1
    post(served, f"/vector_stores/{id}/files", {"file_id": file_id})


def test_a_store_survives_a_restart_with_all_that_is_in_it(clock: Clock, tmp_path: Path) -> None:
    setup = Setup(state=tmp_path / "state")
    served = backend(setup, clock)
    id = store(served, file_ids=[filed(served, MOON, "moon.md")])
    before = get(served, f"/vector_stores/{id}")
    served.close()
    served = backend(setup, clock)
    assert get(served, f"/vector_stores/{id}") == before
    clock.now += 60
    assert get(served, f"/vector_stores/{id}")["status"] == "completed"
    assert post(served, f"/vector_stores/{id}/search", {"query": "moon"})["data"][0]["filename"] == "moon.md"
