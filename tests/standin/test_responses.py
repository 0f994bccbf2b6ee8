"""Responses in one piece: what is said, counted, remembered, kept and refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from standin.asking import CHAT, Clock, ask, backend, chat, error, post
from standin.responding import REASONER, asked, delete, events, get, kinds, response, text

from wireproof.standin.backend import Setup
from wireproof.standin.latency import Latency
from wireproof.standin.resources.responses.kept import keep
from wireproof.standin.tokens import count

PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}


def test_it_says_what_it_is_told_and_repeats_what_it_was_asked() -> None:
    made = response("Say: good day", instructions="Be brief.", metadata={"a": "b"}, temperature=0.5, user="u1")
    assert text(made) == "good day"
    assert (made["status"], made["error"], made["incomplete_details"]) == ("completed", None, None)
    assert (made["instructions"], made["metadata"], made["temperature"]) == ("Be brief.", {"a": "b"}, 0.5)
    assert made["model"].startswith(CHAT)


def test_the_words_do_not_depend_on_how_they_are_delivered() -> None:
    assert text(response("A river")) == text(response("A river", store=False, metadata={"x": "y"}))
    assert text(response("A river")) != text(response("A river", temperature=0))


def test_usage_adds_up_and_counts_as_a_chat_does() -> None:
    usage = response("Say: one two three")["usage"]
    assert usage["output_tokens"] == count("one two three")
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert usage["input_tokens"] == chat("Say: one two three").json["usage"]["prompt_tokens"]


@pytest.mark.parametrize(
    "fields",
    [
        {"instructions": "Speak."},
        {"tools": [{"type": "function", "name": "f"}]},
        {"text": {"format": {"type": "json_schema", "name": "p", "schema": PERSON}}},
    ],
)
def test_input_tokens_are_counted_beforehand_as_they_are_afterwards(fields: dict[str, Any]) -> None:
    counted = post("/responses/input_tokens", {"model": CHAT, "input": "Hello", **fields})
    assert counted.json["input_tokens"] == response("Hello", **fields)["usage"]["input_tokens"]
    assert counted.json["input_tokens"] > response("Hello")["usage"]["input_tokens"]


def test_it_remembers_through_the_previous_response() -> None:
    to = backend()
    first = response("Say: good day", to)
    second = response("And now?", to, previous_response_id=first["id"])
    third = response("And then?", to, previous_response_id=second["id"])
    alone = response("And then?", to)["usage"]["input_tokens"]
    used = [made["usage"]["input_tokens"] for made in (first, second, third)]
    assert used == sorted(set(used))
    assert third["usage"]["input_tokens"] > alone
    assert third["previous_response_id"] == second["id"]


def test_an_item_can_be_referred_to_while_its_response_is_kept() -> None:
    to = backend()
    made = response("Say: good day", to)
    reference = [{"type": "item_reference", "id": made["output"][0]["id"]}, {"role": "user", "content": "Again?"}]
    assert asked(reference, to, store=False).status == 200
    delete(to, f"/responses/{made['id']}")
    assert asked(reference, to).status == 404


def test_a_response_lives_until_it_is_deleted() -> None:
    to = backend()
    made = response("Hello", to)
    assert get(to, f"/responses/{made['id']}").json == made
    assert delete(to, f"/responses/{made['id']}").json == {"id": made["id"], "object": "response", "deleted": True}
    assert get(to, f"/responses/{made['id']}").status == 404
    assert delete(to, f"/responses/{made['id']}").status == 404
    assert error(asked("Hello", to, previous_response_id=made["id"]))["code"] == "previous_response_not_found"


def test_what_is_not_to_be_stored_is_not_there_afterwards() -> None:
    to = backend()
    made = response("Hello", to, store=False)
    assert get(to, f"/responses/{made['id']}").status == 404


def test_the_oldest_responses_are_forgotten_when_there_are_too_many() -> None:
    to = backend()
    ids = [response("Hello", to)["id"] for _ in range(3)]
    newest = to.world.table("responses").rows()[-1]
    keep(to.world, newest, most=2)
    assert [get(to, f"/responses/{id}").status for id in ids] == [404, 200, 200]


def test_input_items_are_listed_newest_first_page_by_page() -> None:
    to = backend()
    said = [{"role": "user", "content": f"{n}"} for n in range(5)]
    made = response(said, to)
    path = f"/responses/{made['id']}/input_items"
    page = get(to, path, "limit=2").json
    assert [item["content"][0]["text"] for item in page["data"]] == ["4", "3"]
    assert page["has_more"]
    rest = get(to, path, f"limit=100&after={page['last_id']}").json
    assert [item["content"][0]["text"] for item in rest["data"]] == ["2", "1", "0"]
    assert get(to, path, "order=asc&limit=1").json["data"][0]["content"][0]["text"] == "0"


def test_every_form_of_input_is_kept_whole() -> None:
    to = backend()
    image = "data:image/png;base64,aaaa"
    said: Any = [
        {"role": "developer", "content": "Be kind."},
        {"role": "user", "content": [{"type": "input_image", "image_url": image}, {"type": "input_text", "text": "x"}]},
        {"role": "assistant", "content": [{"type": "output_text", "text": "Hm."}]},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "7"},
        {"type": "reasoning", "id": "rs_1", "summary": []},
    ]
    listed = get(to, f"/responses/{response(said, to)['id']}/input_items", "order=asc").json["data"]
    assert [item["type"] for item in listed] == [one.get("type", "message") for one in said]
    assert all(item["id"] for item in listed)
    assert listed[1]["content"][0]["image_url"] is None
    made = response(said, to)
    shown = get(to, f"/responses/{made['id']}/input_items", "order=asc&include[]=message.input_image.image_url")
    assert shown.json["data"][1]["content"][0]["image_url"] == image


def test_max_output_tokens_cuts_and_says_so() -> None:
    made = response("A long story", max_output_tokens=16)
    assert made["usage"]["output_tokens"] == 16
    assert (made["status"], made["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})
    assert (made["output"][-1]["status"], made["completed_at"]) == ("incomplete", None)
    assert text(response("A long story")).startswith(text(made))


def test_a_reasoning_model_thinks_and_counts_it() -> None:
    made = response("Say: yes", model=REASONER, reasoning={"effort": "low", "summary": "auto"})
    thought = made["usage"]["output_tokens_details"]["reasoning_tokens"]
    assert kinds(made) == ["reasoning", "message"]
    assert made["output"][0]["summary"][0]["text"]
    assert made["output"][0].get("encrypted_content") is None
    assert thought > 0
    assert made["usage"]["output_tokens"] == thought + 1
    more = response("Say: yes", model=REASONER, reasoning={"effort": "xhigh"})
    assert more["usage"]["output_tokens_details"]["reasoning_tokens"] > thought
    assert kinds(response("Say: yes", model=REASONER, reasoning={"effort": "none"})) == ["message"]


def test_thinking_alone_can_use_up_what_may_be_said() -> None:
    made = response("Say: yes", model=REASONER, max_output_tokens=16)
    assert (kinds(made), made["status"], made["usage"]["output_tokens"]) == (["reasoning"], "incomplete", 16)


def test_encrypted_reasoning_is_told_when_it_is_asked_for() -> None:
    made = response("Hi", model=REASONER, include=["reasoning.encrypted_content"], store=False)
    assert made["output"][0]["encrypted_content"]


def test_structured_output_fits_its_schema() -> None:
    form = {"type": "json_schema", "name": "person", "schema": PERSON, "strict": True}
    made = response("A person", text={"format": form})
    assert set(json.loads(text(made))) == {"name", "age"}
    assert made["text"]["format"] == form
    assert isinstance(json.loads(text(response("In JSON", text={"format": {"type": "json_object"}}))), dict)


def test_a_refusal_is_a_part_of_its_own() -> None:
    (part,) = response("Refuse to answer.")["output"][0]["content"]
    assert part["type"] == "refusal"


def test_logprobs_come_with_each_token_when_included() -> None:
    made = response("Say: one two", include=["message.output_text.logprobs"], top_logprobs=3)
    rows = made["output"][0]["content"][0]["logprobs"]
    assert [row["token"] for row in rows] == ["one", " two"]
    assert all(len(row["top_logprobs"]) == 3 for row in rows)
    assert response("Say: one two", top_logprobs=3)["output"][0]["content"][0]["logprobs"] == []


def test_a_long_prompt_sent_again_is_cached() -> None:
    to = backend()
    long = "word " * 1500
    fresh, again = (response(long, to)["usage"]["input_tokens_details"]["cached_tokens"] for _ in range(2))
    assert (fresh, again) == (0, 1408)


def test_service_tiers_are_told_as_they_were_served() -> None:
    asked_for = ["auto", "flex", "fast"]
    assert [response(service_tier=tier)["service_tier"] for tier in asked_for] == ["default", "flex", "priority"]


def test_a_long_input_is_refused_or_shortened() -> None:
    said = [{"role": "user", "content": "word " * 70_000} for _ in range(6)]
    refused = error(asked(said, model="gpt-4o-mini"))
    assert (refused["param"], refused["code"]) == ("input", "context_length_exceeded")
    assert response(said, model="gpt-4o-mini", truncation="auto")["usage"]["input_tokens"] <= 128_000


def test_a_plain_answer_takes_as_long_as_its_stream() -> None:
    to = backend(Setup(latency=Latency(ttft_ms=200, itl_ms=10)))
    assert asked("Say: one two three", to).delay_ms == pytest.approx(220)
    frames = asked("Say: one two three", to, stream=True).frames
    assert frames is not None
    assert sum(frame.delay_ms for frame in frames) == pytest.approx(220)


def test_a_compaction_stands_for_what_was_said() -> None:
    to = backend()
    first = response("A long story, please", to)
    compact = post("/responses/compact", {"model": CHAT, "previous_response_id": first["id"]}, to).json
    usage = compact["usage"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    onwards = response([*compact["output"], {"role": "user", "content": "Say: on"}], to)
    assert text(onwards) == "on"
    assert onwards["usage"]["input_tokens"] < usage["input_tokens"]
    strange = {"type": "compaction", "encrypted_content": "made elsewhere"}
    assert asked([strange, {"role": "user", "content": "Hello"}], to).status == 200


def test_what_piles_up_is_put_in_short_beyond_a_threshold() -> None:
    to = backend()
    limits = [{"type": "compaction", "compact_threshold": 1000}]
    first = response("word " * 900, to, context_management=limits)
    assert kinds(first) == ["message"]
    second = response("word " * 900, to, context_management=limits, previous_response_id=first["id"])
    assert kinds(second) == ["compaction", "message"]
    third = response("And now?", to, context_management=limits, previous_response_id=second["id"])
    assert third["usage"]["input_tokens"] < second["usage"]["input_tokens"]
    assert kinds(third) == ["message"]


def test_a_trigger_puts_all_in_short_and_says_nothing_else() -> None:
    to = backend()
    trigger = {"type": "compaction_trigger"}
    first = response("A long story", to)
    short = response([trigger], to, previous_response_id=first["id"])
    assert kinds(short) == ["compaction"]
    after = response("Say: on", to, previous_response_id=short["id"])
    assert after["usage"]["input_tokens"] < short["usage"]["input_tokens"]
    assert error(asked([trigger, {"role": "user", "content": "Hi"}], to))["param"] == "input[0]"


def test_input_and_output_are_moderated_when_that_is_asked_for() -> None:
    wanted: Any = {"model": "omni-moderation-latest"}
    scored = response("Say: gore", moderation=wanted)["moderation"]
    assert [scored[side]["flagged"] for side in ("input", "output")] == [True, True]
    assert not response("Say: roses", moderation=wanted)["moderation"]["output"]["flagged"]
    for side, used in (("input", 0), ("output", 1)):
        held = response("Say: gore", moderation={**wanted, "policy": {side: {"mode": "block"}}})
        assert (held["output"], held["incomplete_details"]) == ([], {"reason": "content_filter"})
        assert held["usage"]["output_tokens"] == used
    assert error(asked("Hi", moderation={"model": CHAT}))["param"] == "moderation.model"


def test_a_restart_loses_nothing(tmp_path: Path) -> None:
    setup = Setup(state=tmp_path / "state.db")
    clock = Clock()
    to = backend(setup, clock)
    conversation = post("/conversations", {}, to).json["id"]
    made = response("Say: good day", to, conversation=conversation)
    later = response("Say: later", to, conversation=conversation, background=True)
    told = events(get(to, f"/responses/{made['id']}", "stream=true"))
    to.close()
    again = backend(setup, clock)
    assert get(again, f"/responses/{made['id']}").json == made
    assert events(get(again, f"/responses/{made['id']}", "stream=true")) == told
    assert get(again, f"/responses/{later['id']}").json["status"] == "queued"
    clock.now += 10
    assert text(get(again, f"/responses/{later['id']}").json) == "later"
    assert len(get(again, f"/conversations/{conversation}/items").json["data"]) == 4
    again.close()


REFUSED: list[tuple[dict[str, Any], int, str | None, str | None]] = [
    ({"model": "none"}, 400, "model", "model_not_found"),
    ({"model": "text-embedding-3-small"}, 400, "model", "model_not_found"),
    ({"model": None}, 400, "model", "invalid_type"),
    ({"input": None}, 400, "input", "invalid_type"),
    ({"input": []}, 400, "input", "missing_required_parameter"),
    ({"previous_response_id": "resp_none"}, 400, "previous_response_id", "previous_response_not_found"),
    ({"conversation": "conv_none"}, 404, None, None),
    (
        {"conversation": "conv_none", "previous_response_id": "resp_none"},
        400,
        "previous_response_id",
        "mutually_exclusive_parameters",
    ),
    ({"prompt": {"id": "pmpt_1"}}, 404, "prompt", None),
    ({"max_output_tokens": 15}, 400, "max_output_tokens", "integer_below_min_value"),
    ({"max_output_tokens": 10**6}, 400, "max_output_tokens", "invalid_value"),
    ({"stream_options": {"include_obfuscation": False}}, 400, "stream_options", None),
    ({"background": True, "store": False}, 400, "store", None),
    ({"reasoning": {"effort": "low"}}, 400, "reasoning.effort", "unsupported_parameter"),
    ({"model": REASONER, "temperature": 0.2}, 400, "temperature", "unsupported_value"),
    ({"text": {"format": {"type": "json_object"}}}, 400, "input", None),
    ({"text": {"format": {"type": "json_schema", "name": "n", "schema": {"type": "object", "properties": {"a": {}}},
                          "strict": True}}}, 400, "text.format.schema", "invalid_json_schema"),
    ({"input": [{"type": "function_call_output", "call_id": "c", "output": "x"}]}, 400, "input", None),
    ({"input": [{"type": "function_call", "call_id": "c", "name": "f", "arguments": ""}]}, 400, "input", None),
    ({"input": [{"role": "assistant", "content": [{"type": "input_image", "image_url": "x"}]}]}, 400,
     "input[0].content[0].type", "invalid_value"),
    ({"input": [{"type": "item_reference", "id": "msg_none"}]}, 404, "input[0]", None),
    ({"input": [{"role": "user", "content": [{"type": "input_image"}]}]}, 400, "input[0].content[0]",
     "missing_required_parameter"),
    ({"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "x"}]}]}, 400,
     "input[0].content[0].image_url", "invalid_image_url"),
    ({"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "file-none"}]}]}, 404,
     "input[0].content[0].file_id", None),
    ({"context_management": [{"type": "forgetting"}]}, 400, "context_management[0].type", "invalid_value"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "status", "param", "code"), REFUSED)
def test_it_is_refused_for_what_it_asks(
    fields: dict[str, Any], status: int, param: str | None, code: str | None
) -> None:
    answer = asked(**{"input": "Hello", **fields})
    found = error(answer)
    assert (answer.status, found["param"], found["code"]) == (status, param, code)


def test_no_model_at_all_is_a_missing_model() -> None:
    assert error(post("/responses", {"input": "Hello"}))["param"] == "model"


def test_cancelling_is_for_what_runs_in_the_background() -> None:
    to = backend(clock=Clock())
    made = response("Hello", to)
    assert to.answer(ask("POST", f"/responses/{made['id']}/cancel")).status == 400
    assert to.answer(ask("POST", "/responses/resp_none/cancel")).status == 404
