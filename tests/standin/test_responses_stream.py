"""Responses as events, at once, later and again; and those that run in the background."""

from __future__ import annotations

from typing import Any

import pytest
from standin.asking import Clock, ask, backend
from standin.responding import REASONER, WEATHER, asked, events, get, kinds, names, response, streamed, text

from wireproof.standin.backend import Backend, Setup
from wireproof.standin.latency import Latency

MESSAGE = [
    "output_item.added",
    "content_part.added",
    "output_text.delta",
    "output_text.done",
    "content_part.done",
    "output_item.done",
]
HOSTED: list[tuple[str, Any, list[str]]] = [
    ("Search the web", {"type": "web_search"}, ["in_progress", "searching", "completed"]),
    ("Use python", {"type": "code_interpreter", "container": {"type": "auto"}},
     ["in_progress", "interpreting", "completed"]),
    ("Draw a cat", {"type": "image_generation", "partial_images": 2},
     ["in_progress", "generating", "partial_image", "completed"]),
    ("Ask the wiki", {"type": "mcp", "server_label": "wiki", "require_approval": "never"},
     ["in_progress", "completed"]),
]  # fmt: skip


def test_a_text_comes_in_the_recorded_order() -> None:
    found = streamed("Say: one two three")
    assert names(found) == ["created", "in_progress", *MESSAGE, "completed"]
    assert "".join(event["delta"] for event in found if event["type"].endswith(".delta")) == "one two three"
    assert [event["sequence_number"] for event in found] == list(range(len(found)))


def test_what_is_done_is_what_the_whole_response_says() -> None:
    found = streamed("The weather and a note", tools=[WEATHER, {"type": "custom", "name": "take_note"}])
    done = [event["item"] for event in found if event["type"] == "response.output_item.done"]
    assert found[-1]["response"]["output"] == done
    assert [item["type"] for item in done] == ["function_call", "custom_tool_call"]
    assert found[0]["response"]["usage"] is None
    assert found[-1]["response"]["usage"]["total_tokens"] > 0


def test_plain_and_streamed_say_the_same() -> None:
    plain, told = response("A river"), streamed("A river")[-1]["response"]
    assert (text(plain), plain["usage"]) == (text(told), told["usage"])


def test_an_event_is_named_by_its_type_and_nothing_closes_the_stream() -> None:
    frames = asked("Say: hi", stream=True).frames
    assert frames is not None
    data = b"".join(frame.data for frame in frames)
    assert data.startswith(b"event: response.created\ndata: {")
    assert b"[DONE]" not in data


def test_a_function_call_is_told_piece_by_piece() -> None:
    found = streamed("What is the weather?", tools=[WEATHER])
    assert names(found)[2:-1] == [
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
    ]
    assert found[2]["item"]["arguments"] == ""
    assert found[-3]["name"] == "get_weather"


def test_a_refusal_has_events_of_its_own() -> None:
    assert "refusal.delta" in names(streamed("Refuse to answer."))


def test_reasoning_is_summarised_before_the_answer() -> None:
    found = streamed("Say: yes", model=REASONER, reasoning={"effort": "low", "summary": "auto"})
    assert names(found)[2:8] == [
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
    ]
    assert names(found)[8:] == [*MESSAGE, "completed"]


@pytest.mark.parametrize(("words", "tool", "steps"), HOSTED)
def test_a_hosted_tool_tells_how_far_it_is(words: str, tool: Any, steps: list[str]) -> None:
    found = streamed(words, tools=[tool])
    called = [name.split(".") for name in names(found) if "_call." in name]
    assert [step for _, step in called] == steps
    assert kinds(found[-1]["response"])[-1] == "message"


def test_partial_pictures_are_as_many_as_asked_for() -> None:
    found = streamed("Draw a cat", tools=[{"type": "image_generation", "partial_images": 3}])
    partial = [event for event in found if event["type"].endswith("partial_image")]
    assert [event["partial_image_index"] for event in partial] == [0, 1, 2]
    assert len({event["partial_image_b64"] for event in partial}) == 3


def test_a_shell_tells_its_commands_and_what_they_print() -> None:
    found = names(streamed("Use the shell", tools=[{"type": "shell", "environment": {"type": "container_auto"}}]))
    assert found.index("shell_call_command.done") < found.index("shell_call_output_content.delta")


def test_a_compaction_tells_that_it_is_at_work() -> None:
    said = [{"role": "user", "content": "Hello"}, {"type": "compaction_trigger"}]
    assert names(streamed(said))[2:-1] == ["output_item.added", "compaction.compacting", "output_item.done"]


def test_a_citation_comes_before_its_text_is_done() -> None:
    found = names(streamed("Search the web", tools=[{"type": "web_search"}]))
    assert found.index("output_text.annotation.added") == found.index("output_text.done") - 1


def test_a_text_that_is_cut_ends_incomplete() -> None:
    found = streamed("A long story", max_output_tokens=16)
    assert found[-1]["type"] == "response.incomplete"
    assert sum(event["type"] == "response.output_text.delta" for event in found) == 16


def test_logprobs_ride_on_the_deltas() -> None:
    found = streamed("Say: one two", include=["message.output_text.logprobs"], top_logprobs=2)
    rows = [event["logprobs"] for event in found if event["type"] == "response.output_text.delta"]
    assert [[row["token"] for row in one] for one in rows] == [["one"], [" two"]]
    assert [event["logprobs"] for event in found if event["type"] == "response.output_text.done"] == [
        [*rows[0], *rows[1]]
    ]


def test_deltas_are_padded_unless_that_is_declined() -> None:
    def lengths(**fields: Any) -> set[int]:
        return {len(event.get("obfuscation", "")) for event in streamed("20 words", **fields) if "delta" in event}

    assert len(lengths()) > 1
    assert 0 not in lengths()
    assert lengths(stream_options={"include_obfuscation": False}) == {0}


def test_a_stream_can_be_told_again_from_any_event() -> None:
    to = backend()
    found = streamed("Say: one two three", to)
    id = found[0]["response"]["id"]
    for last_seen in (-1, 0, 4, len(found) - 1):
        query = f"stream=true&starting_after={last_seen}"
        assert events(get(to, f"/responses/{id}", query), is_whole=False) == found[last_seen + 1 :]
    bare = events(get(to, f"/responses/{id}", "stream=true&include_obfuscation=false"))
    assert not any("obfuscation" in event for event in bare)
    assert get(to, f"/responses/{id}", "starting_after=3").status == 400


def test_time_passes_between_tokens_and_nowhere_else() -> None:
    to = backend(Setup(latency=Latency(ttft_ms=300, itl_ms=20)))
    answer = asked("Say: one two three", to, stream=True)
    found = events(answer)
    assert isinstance(answer.frames, list)
    delays = {
        (event["type"], round(frame.delay_ms))
        for event, frame in zip(found, answer.frames, strict=True)
        if frame.delay_ms
    }
    assert delays == {("response.output_text.delta", 300), ("response.output_text.delta", 20)}


# ---- in the background


def ahead(to: Backend, id: str) -> dict[str, Any]:
    return dict(get(to, f"/responses/{id}").json)


def test_a_background_response_waits_runs_and_ends_by_the_clock() -> None:
    clock = Clock()
    to = backend(clock=clock)
    made = response("20 words", to, background=True)
    assert (made["status"], made["output"], made["usage"]) == ("queued", [], None)
    clock.now += 1.5
    assert ahead(to, made["id"])["status"] == "in_progress"
    clock.now += 5
    done = ahead(to, made["id"])
    assert (done["status"], done["usage"]["output_tokens"]) == ("completed", 20)
    assert done["created_at"] < done["completed_at"] <= clock.now
    assert ahead(to, made["id"]) == done


def test_cancelling_twice_is_as_good_as_once() -> None:
    clock = Clock()
    to = backend(clock=clock)
    id = response("20 words", to, background=True)["id"]
    clock.now += 2
    first = to.answer(ask("POST", f"/responses/{id}/cancel")).json
    assert (first["status"], first["completed_at"]) == ("cancelled", None)
    clock.now += 10
    assert to.answer(ask("POST", f"/responses/{id}/cancel")).json == first == ahead(to, id)
    told = events(get(to, f"/responses/{id}", "stream=true"), is_whole=False)
    assert told[-1]["type"] == "response.output_text.delta"


def test_cancelling_what_is_over_gives_it_back() -> None:
    clock = Clock()
    to = backend(clock=clock)
    id = response("Say: hi", to, background=True)["id"]
    clock.now += 10
    assert to.answer(ask("POST", f"/responses/{id}/cancel")).json == ahead(to, id)
    assert ahead(to, id)["status"] == "completed"


def test_a_background_stream_is_taken_up_where_it_was_lost() -> None:
    clock = Clock()
    to = backend(clock=clock)
    found = streamed("20 words", to, background=True)
    assert names(found)[:3] == ["created", "queued", "in_progress"]
    id = found[0]["response"]["id"]
    clock.now += 2
    answer = get(to, f"/responses/{id}", "stream=true&starting_after=5")
    assert events(answer, is_whole=False) == found[6:]
    assert isinstance(answer.frames, list)
    delays = [frame.delay_ms for frame in answer.frames]
    assert delays[0] == 0
    assert sum(delays) == pytest.approx(1000)


def test_what_is_not_over_cannot_be_gone_on_from() -> None:
    clock = Clock()
    to = backend(clock=clock)
    id = response("Say: hi", to, background=True)["id"]
    assert asked("And?", to, previous_response_id=id).status == 400
    clock.now += 10
    assert asked("And?", to, previous_response_id=id).status == 200
