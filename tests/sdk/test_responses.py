"""`client.responses` against the stand-in."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import openai
import pytest
from openai.types.responses import Response
from pydantic import BaseModel

from wireproof.spec import load_spec
from wireproof.standin.serve import StandIn

REASONER = "gpt-5.4-mini"
WEATHER: Any = {
    "type": "function",
    "name": "get_weather",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "strict": True,
}
WIKI: Any = {"type": "mcp", "server_label": "wiki", "server_url": "https://example.com/mcp"}


class Person(BaseModel):
    name: str
    age: int


def ended(client: openai.OpenAI, id: str) -> Response:
    """A background response once it is over; lives pass fast here."""
    deadline = time.monotonic() + 5
    while (found := client.responses.retrieve(id)).status in ("queued", "in_progress"):
        assert time.monotonic() < deadline
    return found


def test_a_response_is_made_read_listed_and_deleted(client: openai.OpenAI, standin: StandIn) -> None:
    made = client.responses.create(model=standin.model, input="Say: good day", metadata={"a": "b"})
    assert made.output_text == "good day"
    assert client.responses.retrieve(made.id) == made
    (item,) = client.responses.input_items.list(made.id)
    assert item.type == "message"
    client.responses.delete(made.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(made.id)


def test_all_input_items_are_walked_through_page_by_page(client: openai.OpenAI, standin: StandIn) -> None:
    said: Any = [{"role": "user", "content": str(number)} for number in range(7)]
    made = client.responses.create(model=standin.model, input=said)
    listed: Any = list(client.responses.input_items.list(made.id, limit=2, order="asc"))
    assert [item.content[0].text for item in listed] == [str(number) for number in range(7)]


def test_a_stream_yields_typed_events_to_its_end(client: openai.OpenAI, standin: StandIn) -> None:
    with client.responses.create(model=standin.model, input="Say: one two", stream=True) as stream:
        found = list(stream)
    assert (found[0].type, found[-1].type) == ("response.created", "response.completed")
    assert "".join(event.delta for event in found if event.type == "response.output_text.delta") == "one two"


def test_the_stream_helper_accumulates_text(client: openai.OpenAI, standin: StandIn) -> None:
    with client.responses.stream(model=standin.model, input="Say: one two") as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_response()
    assert kinds.count("response.output_text.delta") == 2
    assert final.output_text == "one two"
    with client.responses.stream(response_id=final.id, starting_after=3) as again:
        assert [event.type for event in again] == kinds[4:]


def test_the_stream_helper_accumulates_calls_and_parses_them(client: openai.OpenAI, standin: StandIn) -> None:
    with client.responses.stream(model=standin.model, input="What is the weather?", tools=[WEATHER]) as stream:
        (call,) = stream.get_final_response().output
    assert call.type == "function_call"
    assert isinstance(call.parsed_arguments, dict)


def test_a_pydantic_model_is_parsed_plain_and_streamed(client: openai.OpenAI, standin: StandIn) -> None:
    plain = client.responses.parse(model=standin.model, input="A person", text_format=Person)
    with client.responses.stream(model=standin.model, input="A person", text_format=Person) as stream:
        streamed = stream.get_final_response()
    assert isinstance(plain.output_parsed, Person)
    assert streamed.output_parsed == plain.output_parsed


def test_a_tool_made_of_a_pydantic_model_is_parsed(client: openai.OpenAI, standin: StandIn) -> None:
    tool = openai.pydantic_function_tool(Person)
    with client.responses.stream(model=standin.model, input="A person", tools=[tool], tool_choice="required") as stream:
        (call,) = stream.get_final_response().output
    assert call.type == "function_call"
    assert isinstance(call.parsed_arguments, Person)


def test_a_function_and_its_result_go_on(client: openai.OpenAI, standin: StandIn) -> None:
    first = client.responses.create(model=standin.model, input="What is the weather?", tools=[WEATHER])
    call = first.output[0]
    assert call.type == "function_call"
    result: Any = {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}
    for fields in ({"previous_response_id": first.id, "input": [result]}, {"input": [*first.output, result]}):
        assert client.responses.create(model=standin.model, tools=[WEATHER], **fields).output_text


@pytest.mark.parametrize(
    ("words", "tool", "kinds"),
    [
        ("Search the web", {"type": "web_search"}, ["web_search_call", "message"]),
        (
            "Use python",
            {"type": "code_interpreter", "container": {"type": "auto"}},
            ["code_interpreter_call", "message"],
        ),
        ("Draw a cat", {"type": "image_generation", "partial_images": 1}, ["image_generation_call", "message"]),
        ("Ask the wiki", {**WIKI, "require_approval": "never"}, ["mcp_list_tools", "mcp_call", "message"]),
        ("Ask the wiki", WIKI, ["mcp_list_tools", "mcp_approval_request"]),
        (
            "Use the shell",
            {"type": "shell", "environment": {"type": "container_auto"}},
            ["shell_call", "shell_call_output", "message"],
        ),
        ("Use the shell", {"type": "shell"}, ["shell_call"]),
        ("Use the shell", {"type": "local_shell"}, ["local_shell_call"]),
        ("Patch it", {"type": "apply_patch"}, ["apply_patch_call"]),
        ("Look at the screen", {"type": "computer"}, ["computer_call"]),
        ("Note it", {"type": "custom", "name": "note"}, ["custom_tool_call"]),
    ],
)
def test_tools_are_told_plain_and_streamed(
    client: openai.OpenAI, standin: StandIn, words: str, tool: Any, kinds: list[str]
) -> None:
    plain = client.responses.create(model=standin.model, input=words, tools=[tool])
    assert [item.type for item in plain.output] == kinds
    with client.responses.stream(model=standin.model, input=words, tools=[tool]) as stream:
        assert [item.type for item in stream.get_final_response().output] == kinds


def test_files_are_searched(client: openai.OpenAI, standin: StandIn) -> None:
    store = client.vector_stores.create(name="s")
    client.vector_stores.files.upload_and_poll(
        vector_store_id=store.id, file=("a.txt", b"The Aare flows through Bern.")
    )
    made = client.responses.create(
        model=standin.model,
        input="What do the files say of the Aare?",
        tools=[{"type": "file_search", "vector_store_ids": [store.id]}],
        include=["file_search_call.results"],
    )
    search = made.output[0]
    assert search.type == "file_search_call"
    assert search.results
    assert search.results[0].filename == "a.txt"


def test_reasoning_is_counted_and_summarised(client: openai.OpenAI) -> None:
    with client.responses.stream(
        model=REASONER, input="Say: yes", reasoning={"effort": "low", "summary": "auto"}
    ) as stream:
        final = stream.get_final_response()
    thought = final.output[0]
    assert thought.type == "reasoning"
    assert thought.summary
    assert final.usage
    assert final.usage.output_tokens_details.reasoning_tokens > 0


def test_a_background_response_comes_to_its_end(client: openai.OpenAI, standin: StandIn) -> None:
    made = client.responses.create(model=standin.model, input="Say: later", background=True)
    assert made.status == "queued"
    assert ended(client, made.id).output_text == "later"
    assert client.responses.cancel(made.id).status == "completed"
    with pytest.raises(openai.BadRequestError):
        client.responses.cancel(client.responses.create(model=standin.model, input="Hi").id)


def test_a_background_stream_is_resumed(client: openai.OpenAI, standin: StandIn) -> None:
    id, seen = "", -1
    with client.responses.create(model=standin.model, input="20 words", background=True, stream=True) as stream:
        for event in stream:
            if event.type == "response.created":
                id = event.response.id
            seen = event.sequence_number
            if seen == 6:
                break
    with client.responses.retrieve(id, stream=True, starting_after=seen) as rest:
        numbers = [event.sequence_number for event in rest]
    assert numbers == list(range(7, 7 + len(numbers)))
    assert ended(client, id).status == "completed"


def test_input_is_counted_and_compacted(client: openai.OpenAI, standin: StandIn) -> None:
    counted = client.responses.input_tokens.count(model=standin.model, input="Hello", instructions="Be brief.")
    made = client.responses.create(model=standin.model, input="Hello", instructions="Be brief.")
    assert made.usage
    assert counted.input_tokens == made.usage.input_tokens
    compact = client.responses.compact(model=standin.model, previous_response_id=made.id)
    onwards: Any = [*compact.output, {"role": "user", "content": "Say: on"}]
    assert client.responses.create(model=standin.model, input=onwards).output_text == "on"


def test_an_unknown_model_is_a_bad_request_here(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.responses.create(model="none", input="Hello")
    assert (refused.value.code, refused.value.param) == ("model_not_found", "model")


def test_the_async_client_does_all_of_it(async_client: Callable[[], openai.AsyncOpenAI], standin: StandIn) -> None:
    async def everything() -> None:
        async with async_client() as client:
            made = await client.responses.create(model=standin.model, input="Say: hi")
            assert (await client.responses.retrieve(made.id)).output_text == "hi"
            assert [item.type async for item in client.responses.input_items.list(made.id)] == ["message"]
            async with client.responses.stream(model=standin.model, input="Say: one two") as stream:
                assert (await stream.get_final_response()).output_text == "one two"
            again = await client.responses.retrieve(made.id, stream=True, starting_after=0)
            assert [event.sequence_number async for event in again][:2] == [1, 2]
            parsed = await client.responses.parse(model=standin.model, input="A person", text_format=Person)
            assert isinstance(parsed.output_parsed, Person)
            later = await client.responses.create(model=standin.model, input="Say: hi", background=True)
            assert (await client.responses.cancel(later.id)).status in ("cancelled", "completed")
            counted = await client.responses.input_tokens.count(model=standin.model, input="Say: hi")
            assert made.usage
            assert counted.input_tokens == made.usage.input_tokens
            assert (await client.responses.compact(model=standin.model, input="Hello")).output
            await client.responses.delete(made.id)

    asyncio.run(everything())


def test_responses_follow_one_another_on_a_socket(client: openai.OpenAI, standin: StandIn) -> None:
    schema = load_spec().schema("ResponseSocketServerEvent")

    def ended(connection: Any) -> Any:
        while True:
            raw = connection.recv_bytes()
            assert list(schema.violations(json.loads(raw))) == []
            event = connection.parse_event(raw)
            if event.type in ("response.completed", "error"):
                return event

    with client.responses.connect() as connection:
        connection.response.create(model=standin.model, input="Say: one")
        first = ended(connection).response
        connection.response.create(model=standin.model, input="Say: two", previous_response_id=first.id)
        assert (first.output_text, ended(connection).response.output_text) == ("one", "two")
        connection.response.create(model=standin.model, input="And?", previous_response_id="resp_none")
        assert ended(connection).error.code == "previous_response_not_found"
