"""Conversations by voice and text: what is said to what, in which order, at which time."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from standin.asking import WEATHER, backend
from standin.conversing import REALTIME, Client, connected, error, loud, message, one, refused, silent, types

from wireproof.standin.backend import Setup
from wireproof.standin.latency import Latency
from wireproof.standin.media.sounds import signal
from wireproof.standin.prose import dice

SLOW = Setup(latency=Latency(ttft_ms=500, itl_ms=100))
TEXT: dict[str, Any] = {"output_modalities": ["text"]}
MANUAL: dict[str, Any] = {"type": "realtime", "audio": {"input": {"turn_detection": None}}}
VAD = {"type": "server_vad", "idle_timeout_ms": 5000}
FUNCTION = {"type": "function", **WEATHER["function"]}


@pytest.fixture
def client() -> Client:
    client = connected()
    client.listen()
    return client


# ---- the session


def test_a_session_begins_with_all_its_defaults() -> None:
    session = one(connected().listen(), "session.created")["session"]
    assert (session["type"], session["model"], session["output_modalities"]) == ("realtime", REALTIME, ["audio"])
    assert session["audio"]["input"]["turn_detection"]["type"] == "server_vad"
    assert session["audio"]["output"]["voice"] == "marin"
    assert session["expires_at"] == 1_000_000 + 3600


def test_an_update_changes_what_it_names_and_nothing_else(client: Client) -> None:
    before = client.heard[0]["session"]
    asked = {"type": "realtime", "instructions": "Be brief.", "audio": {"output": {"speed": 1.5}}}
    after = one(client.tell("session.update", session=asked), "session.updated")["session"]
    assert after["audio"]["output"] == {**before["audio"]["output"], "speed": 1.5}
    assert {**after, "instructions": None, "audio": None} == {**before, "instructions": None, "audio": None}


def test_another_detection_brings_its_own_defaults(client: Client) -> None:
    asked = {"type": "realtime", "audio": {"input": {"turn_detection": {"type": "semantic_vad"}}}}
    after = one(client.tell("session.update", session=asked), "session.updated")["session"]
    assert after["audio"]["input"]["turn_detection"]["eagerness"] == "auto"
    assert "threshold" not in after["audio"]["input"]["turn_detection"]


@pytest.mark.parametrize(
    ("asked", "param"),
    [
        ({"type": "realtime", "model": "gpt-realtime-mini"}, "session.model"),
        ({"type": "transcription"}, "session.type"),
    ],
)
def test_a_session_keeps_its_model_and_its_type(client: Client, asked: dict[str, Any], param: str) -> None:
    assert error(client.tell("session.update", session=asked))["param"] == param


def test_a_voice_that_was_heard_stays(client: Client) -> None:
    ash = {"type": "realtime", "audio": {"output": {"voice": "ash"}}}
    assert types(client.tell("session.update", session=ash)) == ["session.updated"]
    client.ask("Say: Hi")
    marin = {"type": "realtime", "audio": {"output": {"voice": "marin"}}}
    assert error(client.tell("session.update", session=marin))["code"] == "cannot_update_voice"


def test_a_session_ends_after_an_hour(client: Client) -> None:
    assert client.session.closing is None
    client.clock.now += 3599
    assert client.session.next_s == client.clock.now + 1
    assert error(client.listen(1))["code"] == "session_expired"
    assert client.session.closing == (1001, "session expired")


@pytest.mark.parametrize(
    ("query", "status"),
    [({}, 400), ({"model": "none"}, 404), ({"model": "gpt-4.1-mini"}, 404), ({"call_id": "x"}, 404)],
)
def test_a_handshake_without_a_model_that_talks_is_refused(query: dict[str, str], status: int) -> None:
    answer = refused("/realtime", **query)
    assert answer.status == status
    assert answer.json["error"]["message"]


def test_a_handshake_needs_a_key_and_a_path_that_is_a_socket() -> None:
    assert refused(key="wrong", model=REALTIME).status == 401
    assert refused("/models").status == 404


# ---- what is wrong is told, and the session goes on


@pytest.mark.parametrize(
    ("text", "code", "param"),
    [
        ("no json", None, None),
        ("[]", None, None),
        ('{"type": "session.updated"}', "invalid_value", "type"),
        ('{"type": "session.update"}', "missing_required_parameter", "session"),
        ('{"type": "conversation.item.retrieve", "item_id": 3}', "invalid_type", "item_id"),
        ('{"type": "input_audio_buffer.append", "audio": "?"}', "invalid_value", "audio"),
        ('{"type": "output_audio_buffer.clear"}', "invalid_value", "type"),
        ('{"type": "response.cancel"}', "response_cancel_not_active", None),
        ('{"type": "input_audio_buffer.commit"}', "input_audio_buffer_commit_empty", None),
        ('{"type": "conversation.item.delete", "item_id": "x"}', "item_delete_invalid_item_id", "item_id"),
        ('{"type": "conversation.item.retrieve", "item_id": "x"}', "item_retrieve_invalid_item_id", "item_id"),
        ('{"type": "response.create", "response": {"max_output_tokens": 0}}', "integer_below_min_value",
         "response.max_output_tokens"),
    ],
)  # fmt: skip
def test_a_wrong_event_is_answered_by_an_error(client: Client, text: str, code: str | None, param: str | None) -> None:
    client.session.hear(text)
    found = error(client.listen())
    assert (found["code"], found["param"]) == (code, param)
    assert types(client.ask("Say: Hi", **TEXT))[-1] == "rate_limits.updated"


def test_an_error_names_the_event_that_it_is_about(client: Client) -> None:
    assert error(client.tell("response.cancel", event_id="mine"))["event_id"] == "mine"
    assert error(client.tell("response.cancel"))["event_id"] is None


def test_a_message_in_bytes_is_read_as_well(client: Client) -> None:
    client.session.hear(b'{"type": "input_audio_buffer.clear"}')
    assert types(client.listen()) == ["input_audio_buffer.cleared"]


# ---- items


def test_items_stand_where_they_are_put(client: Client) -> None:
    places = [("b", None), ("d", "b"), ("a", "root"), ("c", "b"), ("e", None)]
    for id, after in places:
        added = client.tell("conversation.item.create", item=message("Hi", id=id), previous_item_id=after)
        assert types(added) == ["conversation.item.added", "conversation.item.done"]
    befores = {event["item"]["id"]: event["previous_item_id"] for event in client.heard if "item" in event}
    assert befores == {"a": None, "b": None, "c": "b", "d": "b", "e": "d"}


def test_an_item_has_an_id_and_a_status_of_its_own(client: Client) -> None:
    item = one(client.tell("conversation.item.create", item=message("Hi")), "conversation.item.done")["item"]
    assert item["id"].startswith("item_")
    assert (item["object"], item["status"]) == ("realtime.item", "completed")
    again = error(client.tell("conversation.item.create", item=message("Hi", id=item["id"])))
    assert (again["code"], again["param"]) == ("item_create_duplicate_item_id", "item.id")


def test_items_are_retrieved_until_they_are_deleted(client: Client) -> None:
    client.tell("conversation.item.create", item=message("Hi", id="a"))
    assert (
        one(client.tell("conversation.item.retrieve", item_id="a"), "conversation.item.retrieved")["item"]["id"] == "a"
    )
    assert types(client.tell("conversation.item.delete", item_id="a")) == ["conversation.item.deleted"]
    assert error(client.tell("conversation.item.retrieve", item_id="a"))["param"] == "item_id"


def test_what_was_not_heard_is_cut_off_with_its_words(client: Client) -> None:
    done = one(client.ask("Say: One two three"), "response.done")["response"]["output"][0]
    cut = {"item_id": done["id"], "content_index": 0, "audio_end_ms": 400}
    assert types(client.tell("conversation.item.truncate", **cut)) == ["conversation.item.truncated"]
    kept = one(client.tell("conversation.item.retrieve", item_id=done["id"]), "conversation.item.retrieved")["item"]
    assert kept["content"] == [{"type": "output_audio"}]
    too_long = error(client.tell("conversation.item.truncate", **{**cut, "audio_end_ms": 500}))
    assert too_long["message"] == "Audio content of 400ms is already shorter than 500ms"
    client.tell("conversation.item.create", item=message("Hi", id="a"))
    assert error(client.tell("conversation.item.truncate", **{**cut, "item_id": "a"}))["param"] == "item_id"


# ---- responses


def test_a_response_in_words_is_told_from_the_outside_in_and_back(client: Client) -> None:
    told = client.ask("Say: Hello there", **TEXT)
    assert types(told) == [
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
        "rate_limits.updated",
    ]
    response = one(told, "response.done")["response"]
    assert (response["status"], response["status_details"]) == ("completed", None)
    assert response["output"][0]["content"] == [{"type": "output_text", "text": "Hello there"}]
    usage = response["usage"]
    assert usage["output_token_details"] == {"text_tokens": 2, "audio_tokens": 0}
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]


def test_a_response_by_voice_has_a_transcript_and_its_sound(client: Client) -> None:
    told = client.ask("Say: Hello there")
    assert one(told, "response.output_audio_transcript.done")["transcript"] == "Hello there"
    one(told, "response.output_audio.done")
    pieces = [event["delta"] for event in told if event["type"] == "response.output_audio.delta"]
    assert b"".join(map(base64.b64decode, pieces)) == signal("Hello there", "marin")
    response = one(told, "response.done")["response"]
    assert response["output"][0]["content"] == [{"type": "output_audio", "transcript": "Hello there"}]
    assert response["usage"]["output_token_details"] == {"text_tokens": 2, "audio_tokens": 12}


@pytest.mark.parametrize("type", ["audio/pcmu", "audio/pcma"])
def test_a_telephone_gets_a_byte_for_three_samples(client: Client, type: str) -> None:
    told = client.ask("Say: Hello", audio={"output": {"format": {"type": type}}})
    assert len(base64.b64decode(one(told, "response.output_audio.delta")["delta"])) == 300 * 8


def test_the_same_words_are_answered_by_the_same_words(client: Client) -> None:
    other = connected()
    other.listen()
    told = [one(speaker.ask("How are you?"), "response.done") for speaker in (client, other)]
    said = [done["response"]["output"][0]["content"] for done in told]
    assert said[0] == said[1]


def test_a_tool_is_called_and_its_result_is_answered(client: Client) -> None:
    client.tell("session.update", session={"type": "realtime", "tools": [FUNCTION], **TEXT})
    told = client.ask("What is the weather?")
    call = one(told, "response.function_call_arguments.done")
    assert call["name"] == "get_weather"
    assert "conversation.item.done" in types(told)
    assert one(told, "response.done")["response"]["output"][0]["type"] == "function_call"
    result = {"type": "function_call_output", "call_id": call["call_id"], "output": "sunny"}
    client.tell("conversation.item.create", item=result)
    assert one(client.tell("response.create"), "response.done")["response"]["output"][0]["type"] == "message"


def test_a_tool_can_be_demanded_and_must_be_there(client: Client) -> None:
    choice = {"type": "function", "name": "get_weather"}
    told = client.ask("Hello", tools=[FUNCTION], tool_choice=choice)
    one(told, "response.function_call_arguments.done")
    assert error(client.tell("response.create", response={"tools": [FUNCTION], "tool_choice": {**choice, "name": "x"}}))


def test_a_cap_ends_a_response_too_early(client: Client) -> None:
    response = one(client.ask("A long story", max_output_tokens=3, **TEXT), "response.done")["response"]
    assert (response["status"], response["status_details"]["reason"]) == ("incomplete", "max_output_tokens")
    assert response["output"][0]["status"] == "incomplete"
    assert response["usage"]["output_tokens"] == 3


def test_a_response_outside_of_the_conversation_leaves_no_trace(client: Client) -> None:
    asked = {"conversation": "none", "input": [message("Say: Aside")], "metadata": {"topic": "x"}, **TEXT}
    told = client.tell("response.create", response=asked)
    response = one(told, "response.done")["response"]
    assert (response["conversation_id"], response["metadata"]) == (None, {"topic": "x"})
    assert response["output"][0]["content"][0]["text"] == "Aside"
    assert "conversation.item.added" not in types(told)
    assert error(client.tell("conversation.item.retrieve", item_id=response["output"][0]["id"]))


def test_input_can_refer_to_items(client: Client) -> None:
    client.tell("conversation.item.create", item=message("Say: Earlier", id="a"))
    client.tell("conversation.item.create", item=message("Say: Later"))
    asked = {"conversation": "none", "input": [{"type": "item_reference", "id": "a"}], **TEXT}
    told = client.tell("response.create", response=asked)
    assert one(told, "response.output_text.done")["text"] == "Earlier"


# ---- time


def test_a_response_takes_its_time() -> None:
    client = connected(SLOW)
    client.listen()
    assert types(client.ask("Say: One two three", **TEXT))[-1] == "response.content_part.added"
    assert client.session.next_s == client.clock.now + 0.5
    assert types(client.listen(0.5)) == ["response.output_text.delta"]
    assert types(client.listen(0.05)) == []
    assert types(client.listen(0.05)) == ["response.output_text.delta"]
    assert types(client.listen(0.1))[-1] == "rate_limits.updated"


def test_only_one_response_at_a_time_writes_to_the_conversation() -> None:
    client = connected(SLOW)
    client.ask("Say: One two three", **TEXT)
    assert error(client.tell("response.create"))["code"] == "conversation_already_has_active_response"
    aside = client.tell("response.create", response={"conversation": "none", "input": [message("Say: Aside")], **TEXT})
    assert types(aside)[0] == "response.created"
    ended = [event for event in client.listen(10) if event["type"] == "response.done"]
    assert [event["response"]["status"] for event in ended] == ["completed", "completed"]


def test_a_cancelled_response_keeps_what_was_said() -> None:
    client = connected(SLOW)
    client.ask("Say: One two three", **TEXT)
    client.listen(0.6)
    told = client.tell("response.cancel")
    response = one(told, "response.done")["response"]
    assert (response["status"], response["status_details"]["reason"]) == ("cancelled", "client_cancelled")
    assert response["output"][0]["content"] == [{"type": "output_text", "text": "One two"}]
    assert response["output"][0]["status"] == "incomplete"
    assert response["usage"]["output_tokens"] == 2
    assert client.listen(10) == []


def test_a_response_is_cancelled_by_its_id() -> None:
    client = connected(SLOW)
    begun = one(client.ask("Say: One two", **TEXT), "response.created")["response"]["id"]
    assert error(client.tell("response.cancel", response_id="resp_x"))["code"] == "response_cancel_not_active"
    assert one(client.tell("response.cancel", response_id=begun), "response.done")["response"]["id"] == begun


def test_a_call_that_is_cancelled_is_left_unfinished() -> None:
    client = connected(SLOW)
    client.tell("session.update", session={"type": "realtime", "tools": [FUNCTION]})
    client.ask("What is the weather?")
    client.listen(0.6)
    call = one(client.tell("response.cancel"), "response.done")["response"]["output"][0]
    assert (call["type"], call["status"]) == ("function_call", "incomplete")


def test_limits_are_told_and_kept() -> None:
    client = connected(Setup(tier="tier-1", scale=0.02))
    first = one(client.ask("Say: Hi", **TEXT), "rate_limits.updated")["rate_limits"]
    assert [row["name"] for row in first] == ["requests", "tokens"]
    assert first[0]["limit"] - first[0]["remaining"] == 1
    for _ in range(first[0]["limit"]):
        told = client.tell("response.create", response=TEXT)
    response = one(told, "response.done")["response"]
    assert (response["status"], response["status_details"]["error"]["code"]) == ("failed", "rate_limit_exceeded")


# ---- sound


def test_sound_is_committed_by_hand(client: Client) -> None:
    client.tell("session.update", session=MANUAL)
    assert client.sound(loud(50)) == []
    short = error(client.tell("input_audio_buffer.commit"))
    assert short["message"].endswith("buffer only has 50.00ms of audio.")
    client.sound(loud(150))
    told = client.tell("input_audio_buffer.commit")
    assert types(told) == ["input_audio_buffer.committed", "conversation.item.added", "conversation.item.done"]
    assert told[0]["item_id"] == told[1]["item"]["id"]
    assert error(client.tell("input_audio_buffer.commit"))["code"] == "input_audio_buffer_commit_empty"
    usage = one(client.tell("response.create", response=TEXT), "response.done")["response"]["usage"]
    assert usage["input_token_details"]["audio_tokens"] == 2


def test_a_cleared_buffer_is_empty(client: Client) -> None:
    client.tell("session.update", session=MANUAL)
    client.sound(loud(500))
    assert types(client.tell("input_audio_buffer.clear")) == ["input_audio_buffer.cleared"]
    assert error(client.tell("input_audio_buffer.commit"))["code"] == "input_audio_buffer_commit_empty"


def test_whoever_stops_speaking_is_answered(client: Client) -> None:
    assert client.sound(silent(500)) == []
    started = client.sound(loud(600))
    assert types(started) == ["input_audio_buffer.speech_started"]
    assert started[0]["audio_start_ms"] == 200  # the first sound at 500, and 300 before it
    told = client.sound(silent(400))
    assert types(told)[:5] == [
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "response.created",
    ]
    assert 1100 <= told[0]["audio_end_ms"] <= 1340
    assert {started[0]["item_id"], told[0]["item_id"], told[1]["item_id"]} == {told[2]["item"]["id"]}
    assert types(told)[-1] == "rate_limits.updated"


def test_the_same_sound_in_other_pieces_makes_the_same_turns(client: Client) -> None:
    sound = silent(100) + loud(500) + silent(300)
    whole = client.sound(sound)
    other = connected()
    other.listen()
    pieces = [event for at in range(0, len(sound), 777) for event in other.sound(sound[at : at + 777])]
    times = ("audio_start_ms", "audio_end_ms")
    assert [[event.get(key) for key in times] for event in whole] == [[e.get(key) for key in times] for e in pieces]
    assert types(whole) == types(pieces)


def test_whoever_speaks_interrupts() -> None:
    client = connected(SLOW)
    client.ask("Say: One two three")
    client.listen(0.5)
    told = client.sound(loud(100))
    assert types(told)[0] == "input_audio_buffer.speech_started"
    assert one(told, "response.done")["response"]["status_details"]["reason"] == "turn_detected"


def test_turns_can_be_left_to_the_client(client: Client) -> None:
    detection = {"type": "server_vad", "create_response": False, "interrupt_response": False}
    client.tell("session.update", session={"type": "realtime", "audio": {"input": {"turn_detection": detection}}})
    told = client.sound(loud(300) + silent(300))
    assert types(told)[-1] == "conversation.item.done"


def test_silence_nudges_the_model_where_it_may(client: Client) -> None:
    detection = {"type": "server_vad", "idle_timeout_ms": 5000}
    client.tell("session.update", session={"type": "realtime", "audio": {"input": {"turn_detection": detection}}})
    client.ask("Say: Are you there?")
    assert client.listen(4.9) == []
    told = client.listen(0.1)
    assert types(told)[:2] == ["input_audio_buffer.timeout_triggered", "input_audio_buffer.committed"]
    assert "response.created" in types(told)


def test_what_was_heard_is_written_down(client: Client) -> None:
    asked = {"audio": {"input": {"turn_detection": None, "transcription": {"model": "gpt-4o-transcribe"}}}}
    client.tell("session.update", session={"type": "realtime", **asked})
    client.sound(loud(900))
    told = client.tell("input_audio_buffer.commit")
    kind = "conversation.item.input_audio_transcription"
    written = one(told, f"{kind}.completed")
    assert "".join(event["delta"] for event in told if event["type"] == f"{kind}.delta") == written["transcript"]
    assert written["usage"]["input_token_details"]["audio_tokens"] == 9
    kept = one(client.tell("conversation.item.retrieve", item_id=written["item_id"]), "conversation.item.retrieved")
    assert kept["item"]["content"][0]["transcript"] == written["transcript"]


def test_a_transcript_comes_with_logprobs_where_they_are_asked_for(client: Client) -> None:
    asked = {"audio": {"input": {"turn_detection": None, "transcription": {"model": "gpt-4o-transcribe"}}}}
    include = ["item.input_audio_transcription.logprobs"]
    client.tell("session.update", session={"type": "realtime", "include": include, **asked})
    client.sound(loud(900))
    told = client.tell("input_audio_buffer.commit")
    kind = "conversation.item.input_audio_transcription"
    pieces = [event["logprobs"] for event in told if event["type"] == f"{kind}.delta"]
    assert one(told, f"{kind}.completed")["logprobs"] == [row for piece in pieces for row in piece]
    assert {len(piece) for piece in pieces} == {1}


def test_a_session_that_transcribes_answers_nothing() -> None:
    client = connected(intent="transcription")
    session = one(client.listen(), "session.created")["session"]
    assert session["type"] == "transcription"
    assert error(client.tell("response.create"))["param"] == "type"
    told = client.sound(loud(600) + silent(300))
    assert types(told)[-1] == "conversation.item.input_audio_transcription.completed"


@pytest.mark.parametrize(("format", "loudest"), [("audio/pcmu", 0x80), ("audio/pcma", 0xAA)])
def test_a_telephone_is_heard_as_well(client: Client, format: str, loudest: int) -> None:
    asked = {"type": "realtime", "audio": {"input": {"format": {"type": format}}}}
    client.tell("session.update", session=asked)
    hush = 0xFF if format == "audio/pcmu" else 0xD5
    assert client.sound(bytes([hush]) * 8 * 200) == []
    told = client.sound(bytes([loudest]) * 8 * 100 + bytes([hush]) * 8 * 300)
    assert types(told)[:2] == ["input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped"]


# ---- anything at all

SAID: list[dict[str, Any]] = [
    {"type": "session.update", "session": {"type": "realtime", **TEXT}},
    {"type": "session.update", "session": {"type": "realtime", "output_modalities": ["audio"], "tools": [FUNCTION]}},
    {"type": "session.update", "session": MANUAL},
    {"type": "session.update", "session": {"type": "realtime", "audio": {"input": {"turn_detection": VAD}}}},
    {"type": "conversation.item.create", "item": message("Say: Hi", id="a")},
    {"type": "conversation.item.create", "item": message("What is the weather?"), "previous_item_id": "root"},
    {"type": "conversation.item.create", "item": {"type": "function_call_output", "call_id": "c", "output": "z"}},
    {"type": "conversation.item.create", "item": {"type": "function_call", "name": "f", "arguments": "{}"}},
    {"type": "conversation.item.delete", "item_id": "a"},
    {"type": "conversation.item.truncate", "item_id": "a", "content_index": 0, "audio_end_ms": 10},
    {"type": "input_audio_buffer.append", "audio": base64.b64encode(loud(300)).decode()},
    {"type": "input_audio_buffer.append", "audio": base64.b64encode(silent(300)).decode()},
    {"type": "input_audio_buffer.append", "audio": "AAA="},
    {"type": "input_audio_buffer.commit"},
    {"type": "input_audio_buffer.clear"},
    {"type": "response.create"},
    {"type": "response.create", "response": {"conversation": "none", "input": [], **TEXT}},
    {"type": "response.cancel"},
    {"type": "nothing"},
]


@pytest.mark.parametrize("seed", range(8))
def test_whatever_is_said_the_description_and_the_grammar_hold(seed: int) -> None:
    """`Client` holds every event against both; a mistake is answered, never fatal."""
    throw = dice("anything", seed)
    client = connected(SLOW if seed % 2 else None)
    for _ in range(25):
        client.tell(**throw.choice(SAID))
        client.listen(throw.choice([0.0, 0.05, 0.6, 3.0, 6.0]))
    client.listen(4000)
    assert client.session.closing == (1001, "session expired")


# ---- translation


def test_a_translation_speaks_while_it_hears() -> None:
    client = connected(path="/realtime/translations", model="gpt-realtime-translate")
    assert one(client.listen(), "session.created")["session"]["audio"]["output"] == {"language": "en"}
    asked = {"audio": {"output": {"language": "de"}, "input": {"transcription": {"model": "gpt-realtime-whisper"}}}}
    assert one(client.tell("session.update", session=asked), "session.updated")["session"]["model"]
    sound = base64.b64encode(loud(700)).decode()
    told = client.tell("session.input_audio_buffer.append", audio=sound)
    kinds = ["session.input_transcript.delta", "session.output_transcript.delta", "session.output_audio.delta"]
    assert types(told) == kinds * 2
    assert [event["elapsed_ms"] for event in told] == [300] * 3 + [600] * 3
    assert types(client.tell("session.close")) == ["session.closed"]
    assert client.session.closing == (1000, "")
    assert error(client.tell("session.input_audio_buffer.append", audio=sound))["param"] == "type"


def test_a_translation_needs_a_model_that_translates() -> None:
    assert refused("/realtime/translations", model=REALTIME).status == 404
    assert refused("/realtime/translations").status == 400
    client = connected(path="/realtime/translations", to=backend(), model="gpt-realtime-translate")
    client.listen()
    assert error(client.tell("response.create"))["param"] == "type"
