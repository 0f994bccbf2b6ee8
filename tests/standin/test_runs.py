"""Runs by the clock: through their whole lives, with tools and without, told as they happen, and stopped halfway."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from standin.asking import WEATHER, error
from standin.assisting import CODE, SEARCH, Desk, events, events_in, text

from wireproof.standin.backend import Setup
from wireproof.standin.latency import Latency
from wireproof.standin.resources.assistants.moves import NO_USAGE
from wireproof.standin.tokens import tokenized
from wireproof.standin.wire import Answer

TIME: Any = {"type": "function", "function": {"name": "get_time", "parameters": {"type": "object", "properties": {}}}}
SLOW = Setup(latency=Latency(ttft_ms=1000, itl_ms=100))
CALLED = "Say what the weather is."
CONTENT = "step_details.tool_calls[*].file_search.results[*].content"


def joined(told: list[tuple[str, Any]]) -> str:
    """The text of all message deltas."""
    deltas = [data["delta"]["content"] for name, data in told if name == "thread.message.delta"]
    return "".join(part["text"]["value"] for content in deltas for part in content)


def names(told: list[tuple[str, Any]]) -> list[str]:
    """Names of events in order, deltas in a row once."""
    found: list[str] = []
    for name, _ in told:
        short = name.removeprefix("thread.")
        if not (short.endswith("delta") and found and found[-1] == short):
            found.append(short)
    return found


# ---- polled


def test_a_run_is_queued_then_at_work_then_done() -> None:
    desk = Desk()
    run = desk.run(desk.thread("Say: hello there"))
    assert (run["status"], run["started_at"], run["usage"]) == ("queued", None, None)
    assert run["expires_at"] == run["created_at"] + 600
    seen = [desk.later(run, 0.1)["status"] for _ in range(8)]
    assert list(dict.fromkeys(seen)) == ["queued", "in_progress", "completed"]
    run = desk.later(run)
    assert run["completed_at"] is not None
    assert run["expires_at"] is None
    assert run["usage"]["total_tokens"] == run["usage"]["prompt_tokens"] + run["usage"]["completion_tokens"] > 0


def test_its_answer_is_the_last_message_of_the_thread() -> None:
    desk = Desk()
    run = desk.later(desk.run(desk.thread("Say: hello there")))
    asked, answered = desk.messages(run["thread_id"])
    assert (text(asked), text(answered)) == ("Say: hello there", "hello there")
    assert (answered["role"], answered["run_id"], answered["assistant_id"]) == ("assistant", run["id"], desk.assistant)
    (step,) = desk.steps(run)
    assert (step["type"], step["status"], step["usage"]) == ("message_creation", "completed", run["usage"])
    assert step["step_details"]["message_creation"]["message_id"] == answered["id"]
    assert desk.got(f"/threads/{run['thread_id']}/runs/{run['id']}/steps/{step['id']}") == step


def test_while_it_is_at_work_its_message_is_in_progress() -> None:
    desk = Desk(SLOW)
    run = desk.later(desk.run(desk.thread("Say: hello there")), 1.0)
    assert run["status"] == "in_progress"
    assert desk.messages(run["thread_id"])[-1]["status"] == "in_progress"
    (step,) = desk.steps(run)
    assert (step["status"], step["usage"]) == ("in_progress", None)


def test_a_run_says_what_it_was_begun_with() -> None:
    desk = Desk(instructions="Be brief.", tools=[CODE], temperature=0.5)
    run = desk.run(desk.thread("Hi"), additional_instructions="Be kind.", metadata={"a": "b"}, top_p=0.25)
    assert (run["instructions"], run["tools"], run["metadata"]) == ("Be brief.\nBe kind.", [CODE], {"a": "b"})
    assert (run["temperature"], run["top_p"], run["tool_choice"], run["parallel_tool_calls"]) == (
        0.5,
        0.25,
        "auto",
        True,
    )
    assert run["truncation_strategy"] == {"type": "auto", "last_messages": None}
    other = desk.run(desk.thread("Hi"), instructions="Be long.", tools=[])
    assert (other["instructions"], other["tools"]) == ("Be long.", [])


def test_more_messages_come_before_the_answer() -> None:
    desk = Desk()
    run = desk.run(desk.thread("one"), additional_messages=[{"role": "user", "content": "Say: two"}])
    desk.later(run)
    assert [text(message) for message in desk.messages(run["thread_id"])] == ["one", "Say: two", "two"]


def test_a_thread_and_its_run_can_be_had_at_once() -> None:
    desk = Desk()
    thread = {"messages": [{"role": "user", "content": "Say: at once"}], "metadata": {"a": "b"}}
    run = desk.made("/threads/runs", {"assistant_id": desk.assistant, "thread": thread})
    desk.later(run)
    assert desk.got(f"/threads/{run['thread_id']}")["metadata"] == {"a": "b"}
    assert text(desk.messages(run["thread_id"])[-1]) == "at once"


def test_one_run_at_a_time() -> None:
    desk = Desk()
    thread = desk.thread("Hello")
    run = desk.run(thread)
    answer = desk.ask("POST", f"/threads/{thread}/runs", {"assistant_id": desk.assistant})
    assert answer.status == 400
    assert error(answer)["message"] == f"Thread {thread} already has an active run {run['id']}."
    desk.later(run)
    second = desk.run(thread)
    listed = desk.got(f"/threads/{thread}/runs")["data"]
    assert [one["id"] for one in listed] == [second["id"], run["id"]]


def test_the_metadata_of_a_run_can_change_while_it_is_at_work() -> None:
    desk = Desk()
    run = desk.run(desk.thread("Hello"))
    changed = desk.made(f"/threads/{run['thread_id']}/runs/{run['id']}", {"metadata": {"a": "b"}})
    assert changed == {**run, "metadata": {"a": "b"}}
    later = desk.later(run)
    assert (later["status"], later["metadata"]) == ("completed", {"a": "b"})


def test_a_message_deleted_while_it_is_written_stays_deleted() -> None:
    desk = Desk(SLOW)
    run = desk.later(desk.run(desk.thread("Say: hello there")), 1.0)
    asked, writing = desk.messages(run["thread_id"])
    desk.ask("DELETE", f"/threads/{run['thread_id']}/messages/{writing['id']}")
    assert desk.later(run)["status"] == "completed"
    assert desk.messages(run["thread_id"]) == [asked]


# ---- functions


def test_a_run_waits_for_the_functions_it_calls() -> None:
    desk = Desk(tools=[WEATHER])
    run = desk.later(desk.run(desk.thread(CALLED)))
    assert (run["status"], run["usage"]) == ("requires_action", None)
    (call,) = run["required_action"]["submit_tool_outputs"]["tool_calls"]
    assert call["function"]["name"] == "get_weather"
    assert "city" in json.loads(call["function"]["arguments"])
    (step,) = desk.steps(run)
    (called,) = step["step_details"]["tool_calls"]
    assert (step["status"], called["id"], called["function"]["output"]) == ("in_progress", call["id"], None)


def test_with_the_outputs_it_goes_on_to_its_end() -> None:
    desk = Desk(tools=[WEATHER])
    waiting = desk.later(desk.run(desk.thread(CALLED)))
    run = desk.submit(waiting).json
    assert (run["status"], run["required_action"]) == ("queued", None)
    run = desk.later(run)
    assert run["status"] == "completed"
    called, spoke = desk.steps(run)
    assert (called["status"], spoke["type"]) == ("completed", "message_creation")
    assert called["step_details"]["tool_calls"][0]["function"]["output"] == "sunny"
    total = called["usage"]["total_tokens"] + spoke["usage"]["total_tokens"]
    assert run["usage"]["total_tokens"] == total
    assert spoke["usage"]["prompt_tokens"] > called["usage"]["prompt_tokens"]


@pytest.mark.parametrize(
    ("fields", "called"),
    [
        ({"tool_choice": "required"}, ["get_weather", "get_time"]),
        ({"tool_choice": "required", "parallel_tool_calls": False}, ["get_weather"]),
        ({"tool_choice": {"type": "function", "function": {"name": "get_time"}}}, ["get_time"]),
        ({"tool_choice": "none"}, []),
        ({}, []),
    ],
)
def test_functions_are_called_as_the_choice_demands(fields: Any, called: list[str]) -> None:
    desk = Desk(tools=[WEATHER, TIME])
    run = desk.later(desk.run(desk.thread("Hello"), **fields))
    action = run["required_action"] or {"submit_tool_outputs": {"tool_calls": []}}
    assert [call["function"]["name"] for call in action["submit_tool_outputs"]["tool_calls"]] == called
    if called:
        assert desk.later(desk.submit(run).json)["status"] == "completed"


def test_every_call_is_answered_and_nothing_else() -> None:
    desk = Desk(tools=[WEATHER, TIME])
    run = desk.later(desk.run(desk.thread("Hello"), tool_choice="required"))
    ids = [call["id"] for call in run["required_action"]["submit_tool_outputs"]["tool_calls"]]
    path = f"/threads/{run['thread_id']}/runs/{run['id']}/submit_tool_outputs"
    for given in ([], ids[:1], [*ids, ids[0]], [*ids, "call_none"]):
        answer = desk.ask("POST", path, {"tool_outputs": [{"tool_call_id": id, "output": "x"} for id in given]})
        assert answer.status == 400
        assert error(answer)["message"] == f"Expected tool outputs for call_ids {ids}, got {given}"
    assert desk.submit(run).status == 200
    again = desk.submit(run)
    assert again.status == 400
    assert error(again)["message"] == 'Runs in status "queued" do not accept tool outputs.'


def test_turns_share_the_caps_of_their_run() -> None:
    desk = Desk(tools=[WEATHER])
    run = desk.later(desk.run(desk.thread("Write 400 words."), tool_choice="required", max_completion_tokens=256))
    run = desk.later(desk.submit(run).json)
    assert (run["status"], run["usage"]["completion_tokens"]) == ("incomplete", 256)
    run = desk.later(desk.run(desk.thread("word " * 120), tool_choice="required", max_prompt_tokens=256))
    run = desk.later(desk.submit(run).json)
    assert (run["status"], run["incomplete_details"]) == ("incomplete", {"reason": "max_prompt_tokens"})
    assert 120 < run["usage"]["prompt_tokens"] <= 256


# ---- hosted tools


@pytest.mark.parametrize(
    ("choice", "used"),
    [
        ("auto", ["file_search", "code_interpreter"]),
        ({"type": "code_interpreter"}, ["code_interpreter"]),
        ({"type": "file_search"}, ["file_search"]),
        ("none", []),
    ],
)
def test_hosted_tools_are_used_when_they_are_forced_or_meant(choice: Any, used: list[str]) -> None:
    desk = Desk(tools=[SEARCH, CODE])
    run = desk.later(desk.run(desk.thread("Search the files, then run some code."), tool_choice=choice))
    calls = [call for step in desk.steps(run)[:-1] for call in step["step_details"]["tool_calls"]]
    assert [call["type"] for call in calls] == used


def test_a_hosted_tool_is_used_once_in_a_run() -> None:
    desk = Desk(tools=[CODE, WEATHER])
    choice = {"type": "function", "function": {"name": "get_weather"}}
    run = desk.later(desk.run(desk.thread("Run some code."), tool_choice="required"))
    assert [step["type"] for step in desk.steps(run)] == ["tool_calls", "tool_calls"]
    run = desk.later(desk.submit(run).json)
    assert [step["type"] for step in desk.steps(run)] == ["tool_calls", "tool_calls", "message_creation"]
    named = desk.later(desk.run(desk.thread("Run some code."), tool_choice=choice))
    (step,) = desk.steps(named)
    assert step["step_details"]["tool_calls"][0]["type"] == "function"


def test_code_is_run_and_its_output_is_true() -> None:
    desk = Desk(tools=[CODE])
    run = desk.later(desk.run(desk.thread("one two three"), tool_choice={"type": "code_interpreter"}))
    ran, spoke = desk.steps(run)
    (call,) = ran["step_details"]["tool_calls"]
    assert (ran["status"], spoke["type"], run["status"]) == ("completed", "message_creation", "completed")
    printed: list[str] = []
    exec(call["code_interpreter"]["input"], {"print": lambda value: printed.append(f"{value}\n")})
    assert call["code_interpreter"]["outputs"] == [{"type": "logs", "logs": "".join(printed)}]


def test_files_are_searched_and_cited() -> None:
    desk = Desk(tools=[SEARCH])
    file = desk.file("harbour.txt", "The harbour opens at six in the morning.")
    other = desk.file("mill.txt", "The mill is closed on Sundays.")
    store = desk.made("/vector_stores", {"file_ids": [file, other]})["id"]
    desk.passes(60)
    thread = desk.thread("Search: when does the harbour open?",
                         tool_resources={"file_search": {"vector_store_ids": [store]}})  # fmt: skip
    run = desk.later(desk.run(thread))
    searched, _ = desk.steps(run)
    found = searched["step_details"]["tool_calls"][0]["file_search"]["results"]
    assert found[0]["file_name"] == "harbour.txt"
    assert "content" not in found[0]
    (whole,) = desk.steps(run, **{"include[]": CONTENT})[:1]
    contents = whole["step_details"]["tool_calls"][0]["file_search"]["results"][0]["content"]
    assert "opens at six" in contents[0]["text"]
    (part,) = desk.messages(thread)[-1]["content"]
    citation = part["text"]["annotations"][0]
    assert citation["file_citation"]["file_id"] == file
    assert part["text"]["value"][citation["start_index"] : citation["end_index"]] == citation["text"]


def test_a_search_in_a_store_that_is_gone_fails_the_run() -> None:
    desk = Desk(tools=[SEARCH])
    store = desk.made("/vector_stores", {})["id"]
    thread = desk.thread("Hello", tool_resources={"file_search": {"vector_store_ids": [store]}})
    desk.ask("DELETE", f"/vector_stores/{store}")
    run = desk.later(desk.run(thread, tool_choice="required"))
    assert (run["status"], run["last_error"]["code"]) == ("failed", "server_error")
    assert run["failed_at"] is not None
    (step,) = desk.steps(run)
    assert (step["status"], step["last_error"]) == ("failed", run["last_error"])


# ---- limits


def test_a_model_that_thinks_pays_for_it() -> None:
    desk = Desk()
    thread = desk.thread("Say: yes")
    run = desk.later(desk.run(thread, model="gpt-5.4-mini", reasoning_effort="low"))
    assert text(desk.messages(thread)[-1]) == "yes"
    assert 32 < run["usage"]["completion_tokens"] <= 65
    cut = desk.later(desk.run(thread, model="gpt-5.4-mini", reasoning_effort="xhigh", max_completion_tokens=256))
    assert (cut["status"], cut["usage"]["completion_tokens"]) == ("incomplete", 256)
    assert desk.messages(thread)[-1]["content"] == []


def test_an_answer_is_cut_at_the_most_tokens() -> None:
    desk = Desk()
    run = desk.later(desk.run(desk.thread("Write 400 words."), max_completion_tokens=256))
    assert (run["status"], run["incomplete_details"]) == ("incomplete", {"reason": "max_completion_tokens"})
    assert run["usage"]["completion_tokens"] == 256
    message = desk.messages(run["thread_id"])[-1]
    assert (message["status"], message["incomplete_details"]) == ("incomplete", {"reason": "max_tokens"})


def test_a_prompt_that_cannot_fit_the_cap_ends_the_run_before_it_says_anything() -> None:
    desk = Desk()
    thread = desk.thread("word " * 300)
    run = desk.later(desk.run(thread, max_prompt_tokens=256))
    assert (run["status"], run["incomplete_details"]) == ("incomplete", {"reason": "max_prompt_tokens"})
    assert run["usage"] == NO_USAGE
    assert len(desk.messages(thread)) == 1


def test_old_messages_are_left_out_until_the_prompt_fits() -> None:
    desk = Desk()
    thread = desk.thread(*(["word " * 100] * 10), "Say: still here")
    run = desk.later(desk.run(thread, max_prompt_tokens=256))
    assert run["status"] == "completed"
    assert run["usage"]["prompt_tokens"] <= 256
    last = desk.later(desk.run(thread, truncation_strategy={"type": "last_messages", "last_messages": 2}))
    assert last["usage"]["prompt_tokens"] < 30


def test_a_message_longer_than_the_window_fails_the_run() -> None:
    desk = Desk()
    window = desk.backend.world.models["gpt-4o-mini"].context_window
    run = desk.later(desk.run(desk.thread("word " * window), model="gpt-4o-mini"))
    assert (run["status"], run["last_error"]["code"]) == ("failed", "invalid_prompt")


def test_a_format_forces_json() -> None:
    desk = Desk()
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    wanted = {"type": "json_schema", "json_schema": {"name": "place", "schema": schema}}
    run = desk.later(desk.run(desk.thread("Where?"), response_format=wanted))
    assert "city" in json.loads(text(desk.messages(run["thread_id"])[-1]))
    json_mode = {"assistant_id": desk.assistant, "response_format": {"type": "json_object"}}
    thread = desk.thread("Where?")
    assert error(desk.ask("POST", f"/threads/{thread}/runs", json_mode))["param"] == "messages"
    run = desk.later(desk.run(thread, response_format={"type": "json_object"}, instructions="Answer in JSON."))
    assert isinstance(json.loads(text(desk.messages(thread)[-1])), dict)


@pytest.mark.parametrize(
    ("fields", "status", "param"),
    [
        ({"assistant_id": "asst_none"}, 404, "assistant_id"),
        ({"model": "gpt-0"}, 400, "model"),
        ({"tool_choice": "required"}, 400, "tool_choice"),
        ({"tool_choice": {"type": "file_search"}}, 400, "tool_choice"),
        ({"tools": [WEATHER], "tool_choice": {"type": "function", "function": {"name": "x"}}}, 400, "tool_choice"),
        ({"model": "o4-mini", "reasoning_effort": "max"}, 400, "reasoning_effort"),
        ({"model": "o4-mini", "temperature": 0.5}, 400, "temperature"),
        ({"max_prompt_tokens": 255}, 400, "max_prompt_tokens"),
        ({"tools": [CODE] * 21}, 400, "tools"),
        ({"additional_messages": [{"role": "user", "content": ""}]}, 400, "additional_messages[0].content"),
        ({"thread": {}}, 400, "thread"),
    ],
)
def test_a_run_that_cannot_be_begun_is_refused_and_leaves_no_trace(fields: Any, status: int, param: str) -> None:
    desk = Desk()
    thread = desk.thread("Hello")
    answer = desk.ask("POST", f"/threads/{thread}/runs", {"assistant_id": desk.assistant, **fields})
    assert answer.status == status
    assert error(answer)["param"] == param
    assert desk.got(f"/threads/{thread}/runs")["data"] == []
    assert len(desk.messages(thread)) == 1


# ---- stopped


def test_a_run_is_cancelling_before_it_is_cancelled() -> None:
    desk = Desk(SLOW)
    run = desk.later(desk.run(desk.thread("Count to 40")), 2.55)
    path = f"/threads/{run['thread_id']}/runs/{run['id']}"
    assert desk.made(f"{path}/cancel", None)["status"] == "cancelling"
    run = desk.later(run, 1.0)
    assert (run["status"], run["expires_at"]) == ("cancelled", None)
    assert run["cancelled_at"] is not None
    message = desk.messages(run["thread_id"])[-1]
    assert (message["status"], message["incomplete_details"]) == ("incomplete", {"reason": "run_cancelled"})
    # 0.5 s until it begins, 1 s to the first token, 0.1 s from one to the next.
    assert text(message) == "".join(tokenized("1, 2, 3, 4, 5, 6, 7, 8, 9")[:11])
    assert desk.steps(run)[0]["status"] == "cancelled"
    again = desk.ask("POST", f"{path}/cancel")
    assert error(again)["message"] == "Cannot cancel run with status 'cancelled'."
    assert desk.later(run, 3600)["status"] == "cancelled"


def test_a_run_that_waits_can_be_cancelled() -> None:
    desk = Desk(tools=[WEATHER])
    run = desk.later(desk.run(desk.thread(CALLED)))
    desk.made(f"/threads/{run['thread_id']}/runs/{run['id']}/cancel", None)
    run = desk.later(run)
    assert (run["status"], run["required_action"]) == ("cancelled", None)
    assert desk.steps(run)[0]["status"] == "cancelled"


def test_a_run_that_waits_too_long_expires() -> None:
    desk = Desk(tools=[WEATHER])
    waiting = desk.later(desk.run(desk.thread(CALLED)))
    assert desk.later(waiting, 530)["status"] == "requires_action"
    run = desk.later(waiting, 20)
    assert run["status"] == "expired"
    (step,) = desk.steps(run)
    assert (step["status"], step["expired_at"]) == ("expired", waiting["expires_at"])
    assert error(desk.submit(waiting))["message"] == 'Runs in status "expired" do not accept tool outputs.'
    desk.made(f"/threads/{run['thread_id']}/messages", {"role": "user", "content": "Anew"})


def test_a_run_goes_on_after_a_restart(tmp_path: Path) -> None:
    state = Setup(state=tmp_path / "state.db")
    desk = Desk(state)
    run = desk.run(desk.thread("Say: hello again"))
    desk.backend.close()
    after = Desk(state)
    after.clock.now = desk.clock.now
    assert after.later(run, 0.3)["status"] == "in_progress"
    assert after.later(run)["status"] == "completed"
    assert text(after.messages(run["thread_id"])[-1]) == "hello again"
    after.backend.close()


# ---- streamed

BEGINS = ["run.created", "run.queued", "run.in_progress"]
SPEAKS = [
    "run.step.created", "run.step.in_progress", "message.created", "message.in_progress", "message.delta",
    "message.completed", "run.step.completed",
]  # fmt: skip
CALLS = ["run.step.created", "run.step.in_progress", "run.step.delta"]


def test_a_stream_tells_a_run_from_its_creation_to_its_end() -> None:
    desk = Desk()
    thread = desk.thread("Say: hello there, friend")
    told = events(desk.streamed(thread))
    assert names(told) == [*BEGINS, *SPEAKS, "run.completed"]
    assert joined(told) == "hello there, friend"
    assert desk.messages(thread)[-1] == dict(told)["thread.message.completed"]
    assert desk.got(f"/threads/{thread}/runs")["data"][0] == told[-1][1]


def test_a_stream_says_the_same_as_a_run_that_is_polled() -> None:
    desk = Desk()
    told = events(desk.streamed(desk.thread("What is new?")))
    polled = desk.later(desk.run(desk.thread("What is new?")))
    assert joined(told) == text(desk.messages(polled["thread_id"])[-1])
    assert told[-1][1]["usage"] == polled["usage"]


def test_a_stream_of_thread_and_run_begins_with_the_thread() -> None:
    desk = Desk()
    body = {"assistant_id": desk.assistant, "thread": {}, "stream": True}
    told = events(desk.ask("POST", "/threads/runs", body))
    assert names(told) == ["created", *BEGINS, *SPEAKS, "run.completed"]
    assert told[0][1]["object"] == "thread"


def test_a_stream_of_calls_ends_where_the_run_waits_and_goes_on_with_the_outputs() -> None:
    desk = Desk(tools=[WEATHER, TIME])
    told = events(desk.streamed(desk.thread("Hello"), tool_choice="required"))
    assert names(told) == [*BEGINS, *CALLS, "run.requires_action"]
    pieces: dict[int, list[Any]] = {}
    for name, data in told:
        if name == "thread.run.step.delta":
            (piece,) = data["delta"]["step_details"]["tool_calls"]
            pieces.setdefault(piece["index"], []).append(piece)
    run = told[-1][1]
    for call, parts in zip(run["required_action"]["submit_tool_outputs"]["tool_calls"], pieces.values(), strict=True):
        assert (parts[0]["id"], parts[0]["function"]["name"]) == (call["id"], call["function"]["name"])
        assert "".join(part["function"]["arguments"] for part in parts) == call["function"]["arguments"]
        assert not any("id" in part for part in parts[1:])
    rest = events(desk.submit(run, stream=True))
    assert names(rest) == ["run.step.completed", "run.queued", "run.in_progress", *SPEAKS, "run.completed"]
    assert all(call["function"]["output"] == "sunny" for call in rest[0][1]["step_details"]["tool_calls"])


def test_a_stream_of_code_tells_it_piece_by_piece() -> None:
    desk = Desk(tools=[CODE])
    told = events(desk.streamed(desk.thread("one two"), tool_choice="required"))
    assert names(told) == [*BEGINS, *CALLS, "run.step.completed", *SPEAKS, "run.completed"]
    pieces = [data["delta"]["step_details"]["tool_calls"][0] for name, data in told if name == "thread.run.step.delta"]
    code = "".join(piece["code_interpreter"].get("input", "") for piece in pieces)
    (call,) = dict(told[: len(pieces) + 6])["thread.run.step.completed"]["step_details"]["tool_calls"]
    assert call["code_interpreter"]["input"] == code
    assert pieces[-1]["code_interpreter"]["outputs"] == [{"index": 0, "type": "logs", "logs": "2\n"}]


def test_a_stream_that_is_cut_or_fails_says_so() -> None:
    desk = Desk()
    told = events(desk.streamed(desk.thread("Write 400 words."), max_completion_tokens=256))
    assert names(told)[-3:] == ["message.incomplete", "run.step.completed", "run.incomplete"]
    told = events(desk.streamed(desk.thread("word " * 300), max_prompt_tokens=256))
    assert names(told) == [*BEGINS, "run.incomplete"]
    window = desk.backend.world.models["gpt-4o-mini"].context_window
    told = events(desk.streamed(desk.thread("word " * window), model="gpt-4o-mini"))
    assert names(told) == [*BEGINS, "run.failed"]


def test_tokens_come_at_the_pace_of_the_model() -> None:
    desk = Desk(SLOW)
    answer = desk.streamed(desk.thread("Say: one two three"))
    assert isinstance(answer.frames, list)
    delays = [frame.delay_ms for frame in answer.frames if frame.delay_ms]
    assert delays == [1000, 100, 100]


def test_the_state_of_a_streamed_run_keeps_up_with_its_stream() -> None:
    desk = Desk(SLOW)
    thread = desk.thread("Say: one two three")
    desk.streamed(thread)
    (run,) = desk.got(f"/threads/{thread}/runs")["data"]
    assert run["status"] == "in_progress"
    assert desk.later(run, 1.1)["status"] == "in_progress"
    # A little before the last event, so that nobody who has that finds the run behind it.
    assert desk.later(run, 0.09)["status"] == "completed"


def read_until_cancelled(desk: Desk, answer: Answer, thread: str, after: int) -> list[tuple[str, Any]]:
    """Reads so many frames, has the run cancelled from elsewhere, and reads on."""
    assert answer.frames is not None
    frames = iter(answer.frames)
    read = [next(frames) for _ in range(after)]
    desk.passes(sum(frame.delay_ms for frame in read) / 1000)
    (run,) = desk.got(f"/threads/{thread}/runs")["data"]
    desk.made(f"/threads/{thread}/runs/{run['id']}/cancel", None)
    return events_in([*read, *frames])


def check_cancelled(desk: Desk, told: list[tuple[str, Any]], thread: str) -> None:
    assert names(told)[-4:] == ["run.cancelling", "message.incomplete", "run.step.cancelled", "run.cancelled"]
    cut = dict(told)["thread.message.incomplete"]
    assert text(cut) == joined(told) != ""
    assert cut["incomplete_details"] == {"reason": "run_cancelled"}
    (run,) = desk.got(f"/threads/{thread}/runs")["data"]
    assert desk.later(run)["status"] == told[-1][1]["status"] == "cancelled"


def test_a_stream_tells_that_its_run_was_cancelled_from_elsewhere() -> None:
    desk = Desk(SLOW)
    thread = desk.thread("Count to 40")
    check_cancelled(desk, read_until_cancelled(desk, desk.streamed(thread), thread, after=12), thread)


def test_so_does_one_that_began_with_its_thread() -> None:
    desk = Desk(SLOW)
    thread = {"messages": [{"role": "user", "content": "Count to 40"}]}
    answer = desk.ask("POST", "/threads/runs", {"assistant_id": desk.assistant, "thread": thread, "stream": True})
    id = events(answer)[0][1]["id"]
    check_cancelled(desk, read_until_cancelled(desk, answer, id, after=12), id)


def test_thinking_delays_the_first_word() -> None:
    desk = Desk(SLOW)
    answer = desk.streamed(desk.thread("Say: yes"), model="gpt-5.4-mini", reasoning_effort="low")
    assert isinstance(answer.frames, list)
    delays = [frame.delay_ms for frame in answer.frames]
    assert sum(delays) == 1000 + 100 * (events(answer)[-1][1]["usage"]["completion_tokens"] - 1)
    assert sum(delays) > 1000 + 100 * 32


def test_a_refusal_comes_before_the_stream() -> None:
    answer = Desk().streamed("thread_none")
    assert answer.status == 404
    assert not answer.is_stream
