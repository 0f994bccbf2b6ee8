"""Restarts: with a state file nothing is lost, and what was under way goes on to its end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from standin.asking import CHAT, ask, user
from standin.restarting import FILLERS, House, everything, permissions, unread

LONG_S = 600.0  # longer than any work, shorter than the life of a container


@pytest.fixture
def house(tmp_path: Path) -> House:
    """With one of everything, all of it under way."""
    house = House(tmp_path / "state.db")
    for fill in FILLERS:
        fill(house)
    return house


def settle(house: House) -> None:
    """Lets what is under way come to its end: each request does what is due, and no more than a bounded piece."""
    house.clock.now += LONG_S
    for _ in range(20):
        house.get("/models")


def test_every_answer_is_the_same_after_a_restart(house: House) -> None:
    settle(house)
    permissions(house)
    before = everything(house)
    assert [path for path, (status, _) in before.items() if status != 200] == []
    assert unread(before) == []
    house.restart()
    after = everything(house)
    assert after.keys() == before.keys()
    assert [path for path in before if before[path] != after[path]] == []


def test_a_crash_loses_nothing_that_was_answered(house: House) -> None:
    before = everything(house)
    left = house.one
    house.open()
    assert everything(house) == before
    left.close()


@pytest.mark.parametrize("after_s", [0.0, 1.5, 4.5])
def test_work_goes_on_after_a_restart_as_if_there_had_been_none(house: House, after_s: float) -> None:
    house.clock.now += after_s
    before = everything(house)
    house.restart()
    assert everything(house) == before
    settle(house)
    found = states(everything(house))
    assert set(found.values()) == FINAL, found


FINAL = {"completed", "succeeded", "processed", "running"}  # a container runs as long as it lives


def states(answers: dict[str, tuple[int, bytes]]) -> dict[str, Any]:
    """The status of every object that has one, by its path."""
    found = {}
    for path, (_, body) in answers.items():
        value = {} if path.endswith("/content") else json.loads(body)
        if isinstance(value.get("status"), str) and "/output_items/" not in path:
            found[path] = value["status"]
    return found


def test_a_model_of_ones_own_answers_after_a_restart(house: House) -> None:
    settle(house)
    name = house.get("/fine_tuning/jobs")["data"][0]["fine_tuned_model"]
    house.restart()
    body = {"model": name, "messages": user("Say: yes")}
    assert house.post("/chat/completions", body)["choices"][0]["message"]["content"] == "yes"


def test_a_response_in_the_background_is_told_on_from_where_it_was(house: House) -> None:
    id = house.known["response_id"][-1]
    assert house.get(f"/responses/{id}")["status"] in ("queued", "in_progress")
    stream = ask("GET", f"/responses/{id}", stream="true", starting_after="3")
    before = house.send(stream)
    house.restart()
    assert house.send(stream) == before
    assert len(before) > 20
    settle(house)
    assert house.get(f"/responses/{id}")["status"] == "completed"
    alone = house.post("/responses", {"model": CHAT, "input": "Go on"})
    more = house.post("/responses", {"model": CHAT, "input": "Go on", "previous_response_id": id})
    assert more["usage"]["input_tokens"] > alone["usage"]["input_tokens"] + 60


def test_an_upload_is_completed_after_a_restart(house: House) -> None:
    house.restart()
    (id,) = house.known["upload_id"]
    done = house.post(f"/uploads/{id}/complete", {"part_ids": house.known["part_id"][::-1]})
    assert done["status"] == "completed"
    content = house.one.answer(ask("GET", f"/files/{done['file']['id']}/content"))
    assert content.body == b"SnowRain"


def test_a_paused_job_stays_paused_and_is_resumed(tmp_path: Path) -> None:
    house = House(tmp_path / "state.db")
    for fill in FILLERS:
        fill(house)
    house.clock.now += 5
    (job,) = house.get("/fine_tuning/jobs")["data"]
    assert house.post(f"/fine_tuning/jobs/{job['id']}/pause")["status"] == "queued"
    house.restart()
    settle(house)
    assert house.get(f"/fine_tuning/jobs/{job['id']}")["status"] == "queued"
    house.post(f"/fine_tuning/jobs/{job['id']}/resume")
    settle(house)
    assert house.get(f"/fine_tuning/jobs/{job['id']}")["status"] == "succeeded"


def test_ids_made_after_a_restart_are_new(house: House) -> None:
    made = {house.file("user_data", b"x", name="x.txt")}
    for _ in range(3):
        house.restart()
        made.add(house.file("user_data", b"x", name="x.txt"))
    assert len(made) == 4


def test_what_was_deleted_stays_deleted(house: House) -> None:
    settle(house)
    for path in ("/vector_stores", "/evals", "/assistants", "/containers", "/files"):
        for row in house.get(path)["data"]:
            house.send(ask("DELETE", f"{path}/{row['id']}"))
    house.restart()
    for path in ("/vector_stores", "/evals", "/assistants", "/containers", "/files"):
        assert house.get(path)["data"] == [], path
    assert CHAT in [model["id"] for model in house.get("/models")["data"]]
