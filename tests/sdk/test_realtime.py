"""Realtime through the official client: keys, calls, and conversations over real sockets."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import openai
import pytest
from openai.resources.realtime.realtime import RealtimeConnection
from standin.conversing import OFFER, loud, silent
from websockets.exceptions import ConnectionClosedOK, InvalidStatus
from websockets.sync.client import connect

from wireproof.spec import load_spec
from wireproof.standin.serve import StandIn, embedded
from wireproof.streams import grammar, said, slips

MODEL = "gpt-realtime"
TRANSLATOR = "gpt-realtime-translate"
HELLO: Any = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Say: Hello there"}]}
NAMED: Any = {**HELLO, "id": "item_a"}
TEXT: Any = {"type": "realtime", "output_modalities": ["text"]}


def events(connection: Any, last: str, schema: str = "RealtimeServerEvent") -> Iterator[Any]:
    """What comes up to an event of this type, held against the description, as the SDK parses it."""
    while True:
        raw = connection.recv_bytes()
        assert [str(breach) for breach in load_spec().schema(schema).violations(json.loads(raw))] == []
        event = connection.parse_event(raw)
        yield event
        if event.type == last:
            return


def conversed(connection: RealtimeConnection) -> list[Any]:
    connection.session.update(session=TEXT)
    connection.conversation.item.create(item=HELLO)
    connection.response.create()
    return list(events(connection, "rate_limits.updated"))


def test_a_conversation_in_words(client: openai.OpenAI) -> None:
    with client.realtime.connect(model=MODEL) as connection:
        told = conversed(connection)
    assert "".join(event.delta for event in told if event.type == "response.output_text.delta") == "Hello there"
    assert told[-2].response.status == "completed"
    rules = grammar("realtime")
    assert slips(rules, [said(rules, event.to_dict()) for event in told], is_whole=False) == []


def test_a_conversation_by_voice(client: openai.OpenAI) -> None:
    with client.realtime.connect(model=MODEL) as connection:
        for sound in (loud(500), silent(300)):
            connection.input_audio_buffer.append(audio=base64.b64encode(sound).decode())
        told = list(events(connection, "response.done"))
    types = [event.type for event in told]
    assert types[1:4] == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
    ]
    assert {"response.output_audio.delta", "response.output_audio_transcript.done"} <= set(types)


def test_items_buffers_and_errors(client: openai.OpenAI) -> None:
    with client.realtime.connect(model=MODEL) as connection:
        connection.conversation.item.create(item=NAMED)
        connection.conversation.item.retrieve(item_id="item_a")
        assert next(reversed(list(events(connection, "conversation.item.retrieved")))).item.id == "item_a"
        connection.conversation.item.delete(item_id="item_a")
        connection.conversation.item.truncate(item_id="item_a", content_index=0, audio_end_ms=0)
        connection.input_audio_buffer.clear()
        connection.input_audio_buffer.commit()
        connection.response.cancel(event_id="mine")
        told = [next(events(connection, "")) for _ in range(5)]
    assert [event.type for event in told] == [
        "conversation.item.deleted",
        "error",
        "input_audio_buffer.cleared",
        "error",
        "error",
    ]
    assert told[-1].error.code == "response_cancel_not_active"
    assert told[-1].error.event_id == "mine"


def test_a_lent_key_is_enough(client: openai.OpenAI, standin: StandIn) -> None:
    lent = client.realtime.client_secrets.create(session={"type": "realtime", "model": MODEL, "instructions": "Short."})
    assert lent.session.type == "realtime"
    with openai.OpenAI(base_url=standin.base_url, api_key=lent.value) as guest:
        with guest.realtime.connect(model=MODEL) as connection:
            assert next(events(connection, "session.created")).session.instructions == "Short."
        with pytest.raises(openai.AuthenticationError):
            guest.models.list()


def test_a_browser_brings_its_key_as_a_subprotocol(standin: StandIn) -> None:
    url = standin.base_url.replace("http", "ws") + f"/realtime?model={MODEL}"
    names: Any = ["realtime", f"openai-insecure-api-key.{standin.key}"]
    with connect(url, subprotocols=names) as socket:
        assert socket.subprotocol == "realtime"
        assert json.loads(socket.recv())["type"] == "session.created"


def test_a_handshake_is_refused_by_an_ordinary_error(client: openai.OpenAI) -> None:
    with pytest.raises(InvalidStatus) as refused, client.realtime.connect(model="none"):
        pass
    assert refused.value.response.status_code == 404
    assert json.loads(refused.value.response.body or b"")["error"]["code"] == "model_not_found"


def test_a_conversation_of_an_async_client(async_client: Callable[[], openai.AsyncOpenAI]) -> None:
    async def converse() -> list[str]:
        async with async_client() as client, client.realtime.connect(model=MODEL) as connection:
            await connection.session.update(session=TEXT)
            await connection.conversation.item.create(item=HELLO)
            await connection.response.create()
            found: list[str] = []
            async for event in connection:
                found.append(event.type)
                if event.type == "response.done":
                    return found
            return found

    assert asyncio.run(converse())[-2:] == ["response.output_item.done", "response.done"]


def test_a_translation(client: openai.OpenAI) -> None:
    lent = client.realtime.translations.client_secrets.create(
        session={"model": TRANSLATOR, "audio": {"output": {"language": "es"}}}
    )
    assert lent.session.audio.output is not None
    assert lent.session.audio.output.language == "es"
    with client.realtime.translations.connect(model=TRANSLATOR) as connection:
        connection.session.input_audio_buffer.append(audio=base64.b64encode(loud(400)).decode())
        connection.session.close()
        told = [event.type for event in events(connection, "session.closed", "TranslationServerEvent")]
        with pytest.raises(ConnectionClosedOK):
            connection.recv_bytes()
    assert told == [
        "session.created",
        "session.output_transcript.delta",
        "session.output_audio.delta",
        "session.closed",
    ]


def test_calls(client: openai.OpenAI) -> None:
    made = client.realtime.calls.create(sdp=OFFER, session={"type": "realtime", "instructions": "Called."})
    assert made.text.startswith("v=0")
    id = made.response.headers["location"].rpartition("/")[2]
    with client.realtime.connect(call_id=id) as connection:
        assert next(events(connection, "session.created")).session.instructions == "Called."
        client.realtime.calls.hangup(id)
        with pytest.raises(ConnectionClosedOK):
            connection.recv_bytes()
    with pytest.raises(openai.NotFoundError):
        client.realtime.calls.hangup(id)


def test_calls_that_do_not_ring_cannot_be_taken(client: openai.OpenAI) -> None:
    id = client.realtime.calls.create(sdp=OFFER).response.headers["location"].rpartition("/")[2]
    with pytest.raises(openai.ConflictError):
        client.realtime.calls.accept(id, type="realtime")
    with pytest.raises(openai.ConflictError):
        client.realtime.calls.reject(id)
    client.realtime.calls.refer(id, target_uri="tel:+14155550123")


def test_calls_that_ring_are_taken_handed_over_and_rejected() -> None:
    with embedded(truth=True) as standin, openai.OpenAI(base_url=standin.base_url, api_key=standin.key) as client:
        ring = standin.base_url.replace("/v1", "/_standin/ring")
        first, second = (httpx2.post(ring).json()["call_id"] for _ in range(2))
        client.realtime.calls.accept(first, type="realtime", model=MODEL, instructions="Hello.")
        with client.realtime.connect(call_id=first) as connection:
            assert next(events(connection, "session.created")).session.instructions == "Hello."
        client.realtime.calls.refer(first, target_uri="sip:agent@example.com")
        client.realtime.calls.reject(second, status_code=486)
        with pytest.raises(openai.NotFoundError):
            client.realtime.calls.hangup(second)


def test_sessions_of_the_beta(client: openai.OpenAI) -> None:
    session = client.beta.realtime.sessions.create(model="gpt-realtime", modalities=["text"])
    assert session.client_secret.value.startswith("ek_")
    transcription = client.beta.realtime.transcription_sessions.create(input_audio_format="g711_alaw")
    assert transcription.input_audio_format == "g711_alaw"


def test_an_async_client_lends_keys_and_calls(async_client: Callable[[], openai.AsyncOpenAI]) -> None:
    async def call() -> str:
        async with async_client() as client:
            lent = await client.realtime.client_secrets.create(session={"type": "transcription"})
            made = await client.realtime.calls.create(sdp=OFFER)
            await client.realtime.calls.hangup(made.response.headers["location"].rpartition("/")[2])
            return lent.session.type

    assert asyncio.run(call()) == "transcription"


def test_a_socket_asked_for_as_a_page_says_so(client: openai.OpenAI) -> None:
    with pytest.raises(openai.APIStatusError) as refused:
        client.get("/realtime", cast_to=httpx2.Response, options={"params": {"model": MODEL}})
    assert refused.value.status_code == 426
