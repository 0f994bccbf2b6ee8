"""`client.beta.threads.runs` against the stand-in: polled, streamed through the SDK's handlers, and by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import openai
import pytest
from openai import AssistantEventHandler, AsyncAssistantEventHandler
from openai.types.beta.threads import Message, Run, Text, TextDelta
from openai.types.beta.threads.runs import RunStep, ToolCall

MODEL = "gpt-4.1-mini"
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
CODE: Any = {"type": "code_interpreter"}
SEARCH: Any = {"type": "file_search"}
CONTENT: Any = "step_details.tool_calls[*].file_search.results[*].content"
POLL_MS = 10

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the whole API is


class Listener(AssistantEventHandler):
    """Writes down what it is called for."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []
        self.text = ""
        self.called: list[ToolCall] = []

    def on_text_created(self, text: Text) -> None:
        self.heard.append("text created")

    def on_text_delta(self, delta: TextDelta, snapshot: Text) -> None:
        self.text += delta.value or ""
        assert snapshot.value == self.text

    def on_text_done(self, text: Text) -> None:
        assert text.value == self.text
        self.heard.append("text done")

    def on_message_done(self, message: Message) -> None:
        self.heard.append(f"message {message.status}")

    def on_run_step_done(self, run_step: RunStep) -> None:
        self.heard.append(f"step {run_step.status}")

    def on_tool_call_done(self, tool_call: ToolCall) -> None:
        self.called = [*[one for one in self.called if one.id != tool_call.id], tool_call]

    def on_end(self) -> None:
        self.heard.append("end")


@pytest.fixture
def assistant(client: openai.OpenAI) -> str:
    return client.beta.assistants.create(model=MODEL, instructions="Be brief.").id


def thread(client: openai.OpenAI, *texts: str, **fields: Any) -> str:
    return client.beta.threads.create(messages=[{"role": "user", "content": text} for text in texts], **fields).id


def answer(client: openai.OpenAI, thread_id: str) -> str:
    (newest,) = client.beta.threads.messages.list(thread_id, limit=1).data
    return "".join(part.text.value for part in newest.content if part.type == "text")


def outputs(run: Run) -> Any:
    assert run.required_action is not None
    calls = run.required_action.submit_tool_outputs.tool_calls
    return [{"tool_call_id": call.id, "output": f"{call.function.name}: sunny"} for call in calls]


def names(events: Iterable[Any]) -> list[str]:
    """In order, those that repeat in a row once."""
    found: list[str] = []
    for event in events:
        if not found or found[-1] != event.event:
            found.append(event.event)
    return found


def test_a_run_is_polled_to_its_end(client: openai.OpenAI, assistant: str) -> None:
    id = thread(client, "Say: hello there")
    runs = client.beta.threads.runs
    run = runs.create_and_poll(thread_id=id, assistant_id=assistant, poll_interval_ms=POLL_MS)
    assert run.status == "completed"
    assert run.usage is not None
    assert answer(client, id) == "hello there"
    assert runs.retrieve(run.id, thread_id=id) == run
    assert runs.update(run.id, thread_id=id, metadata={"a": "b"}).metadata == {"a": "b"}
    (step,) = runs.steps.list(run.id, thread_id=id)
    assert runs.steps.retrieve(step.id, thread_id=id, run_id=run.id) == step
    assert step.usage is not None
    assert step.usage.total_tokens == run.usage.total_tokens


def test_a_thread_is_made_and_run_in_one(client: openai.OpenAI, assistant: str) -> None:
    started = client.beta.threads.create_and_run(
        assistant_id=assistant, thread={"messages": [{"role": "user", "content": "Say: one"}]}
    )
    run = client.beta.threads.runs.poll(started.id, started.thread_id, poll_interval_ms=POLL_MS)
    assert (run.status, answer(client, run.thread_id)) == ("completed", "one")
    run = client.beta.threads.create_and_run_poll(
        assistant_id=assistant,
        thread={"messages": [{"role": "user", "content": "Say: two"}]},
        poll_interval_ms=POLL_MS,
    )
    assert (run.status, answer(client, run.thread_id)) == ("completed", "two")


def test_runs_are_listed_page_by_page(client: openai.OpenAI, assistant: str) -> None:
    id, runs = thread(client, "Hello"), client.beta.threads.runs
    made = [runs.create_and_poll(thread_id=id, assistant_id=assistant, poll_interval_ms=POLL_MS).id for _ in range(3)]
    assert [run.id for run in runs.list(id, limit=2)] == made[::-1]


def test_outputs_are_submitted_and_polled(client: openai.OpenAI, assistant: str) -> None:
    id, runs = thread(client, "Hello"), client.beta.threads.runs
    run = runs.create_and_poll(
        thread_id=id, assistant_id=assistant, tools=[WEATHER], tool_choice="required", poll_interval_ms=POLL_MS
    )
    assert run.status == "requires_action"
    run = runs.submit_tool_outputs_and_poll(
        run_id=run.id, thread_id=id, tool_outputs=outputs(run), poll_interval_ms=POLL_MS
    )
    assert run.status == "completed"
    called = next(iter(runs.steps.list(run.id, thread_id=id, order="asc"))).step_details
    assert called.type == "tool_calls"
    (call,) = called.tool_calls
    assert call.type == "function"
    assert call.function.output == "get_weather: sunny"


def test_a_run_that_waits_is_cancelled(client: openai.OpenAI, assistant: str) -> None:
    id, runs = thread(client, "Hello"), client.beta.threads.runs
    waiting = runs.create_and_poll(
        thread_id=id, assistant_id=assistant, tools=[WEATHER], tool_choice="required", poll_interval_ms=POLL_MS
    )
    assert runs.cancel(waiting.id, thread_id=id).status == "cancelling"
    assert runs.poll(waiting.id, id, poll_interval_ms=POLL_MS).status == "cancelled"
    with pytest.raises(openai.BadRequestError, match="do not accept tool outputs"):
        runs.submit_tool_outputs(waiting.id, thread_id=id, tool_outputs=outputs(waiting))


def test_a_handler_hears_a_stream(client: openai.OpenAI, assistant: str) -> None:
    id, listener = thread(client, "Say: one two three"), Listener()
    with client.beta.threads.runs.stream(thread_id=id, assistant_id=assistant, event_handler=listener) as stream:
        stream.until_done()
    assert listener.text == "one two three" == answer(client, id)
    assert listener.heard == ["text created", "text done", "message completed", "step completed", "end"]
    assert listener.get_final_run().status == "completed"
    assert [message.status for message in listener.get_final_messages()] == ["completed"]
    assert [step.type for step in listener.get_final_run_steps()] == ["message_creation"]


def test_the_texts_of_a_stream_are_iterated(client: openai.OpenAI, assistant: str) -> None:
    with client.beta.threads.create_and_run_stream(
        assistant_id=assistant, thread={"messages": [{"role": "user", "content": "Say: one two three"}]}
    ) as stream:
        assert "".join(stream.text_deltas) == "one two three"


def test_calls_of_a_stream_are_accumulated_and_answered_in_another(client: openai.OpenAI, assistant: str) -> None:
    id, listener, runs = thread(client, "Hello"), Listener(), client.beta.threads.runs
    with runs.stream(
        thread_id=id, assistant_id=assistant, tools=[WEATHER], tool_choice="required", event_handler=listener
    ) as stream:
        stream.until_done()
    run = listener.get_final_run()
    assert run.required_action is not None
    (wanted,) = run.required_action.submit_tool_outputs.tool_calls
    (heard,) = listener.called
    assert heard.type == "function"
    assert (heard.id, heard.function.arguments) == (wanted.id, wanted.function.arguments)
    with runs.submit_tool_outputs_stream(
        run_id=run.id, thread_id=id, tool_outputs=outputs(run), event_handler=Listener()
    ) as stream:
        stream.until_done()
        assert stream.get_final_run().status == "completed"
        assert stream.text == answer(client, id)


def test_code_and_searches_are_streamed_with_their_results(client: openai.OpenAI, assistant: str) -> None:
    file = client.files.create(file=("harbour.txt", b"The harbour opens at six."), purpose="assistants").id
    made = client.vector_stores.create(name="ports")
    client.vector_stores.files.create_and_poll(file, vector_store_id=made.id, poll_interval_ms=POLL_MS)
    id = thread(client, "Search the files and run some code: when does it open?",
                tool_resources={"file_search": {"vector_store_ids": [made.id]}})  # fmt: skip
    listener, runs = Listener(), client.beta.threads.runs
    with runs.stream(
        thread_id=id, assistant_id=assistant, tools=[CODE, SEARCH], include=[CONTENT], event_handler=listener
    ) as stream:
        stream.until_done()
    code, search = listener.called
    assert code.type == "code_interpreter"
    assert "print" in code.code_interpreter.input
    steps = list(runs.steps.list(listener.get_final_run().id, thread_id=id, order="asc", include=[CONTENT]))
    searched = steps[1].step_details
    assert searched.type == "tool_calls"
    assert searched.tool_calls[0].type == search.type == "file_search"
    (result,) = searched.tool_calls[0].file_search.results or []
    assert result.content is not None
    assert result.content[0].text == "The harbour opens at six."
    (newest,) = client.beta.threads.messages.list(id, limit=1).data
    part = newest.content[0]
    assert part.type == "text"
    citation = part.text.annotations[0]
    assert citation.type == "file_citation"
    assert citation.file_citation.file_id == file


def test_raw_streams_name_every_event(client: openai.OpenAI, assistant: str) -> None:
    id, runs = thread(client, "Say: one two"), client.beta.threads.runs
    told = names(runs.create(thread_id=id, assistant_id=assistant, stream=True))
    spoken = [
        "thread.run.created", "thread.run.queued", "thread.run.in_progress", "thread.run.step.created",
        "thread.run.step.in_progress", "thread.message.created", "thread.message.in_progress", "thread.message.delta",
        "thread.message.completed", "thread.run.step.completed", "thread.run.completed",
    ]  # fmt: skip
    assert told == spoken
    assert names(client.beta.threads.create_and_run(assistant_id=assistant, stream=True)) == ["thread.created", *spoken]
    waiting = list(
        runs.create(thread_id=id, assistant_id=assistant, stream=True, tools=[WEATHER], tool_choice="required")
    )
    run = waiting[-1].data
    assert isinstance(run, Run)
    rest = runs.submit_tool_outputs(run.id, thread_id=id, tool_outputs=outputs(run), stream=True)
    assert names(rest)[:2] == ["thread.run.step.completed", "thread.run.queued"]


def test_one_run_at_a_time(client: openai.OpenAI, assistant: str) -> None:
    id, runs = thread(client, "Hello"), client.beta.threads.runs
    runs.create_and_poll(
        thread_id=id, assistant_id=assistant, tools=[WEATHER], tool_choice="required", poll_interval_ms=POLL_MS
    )
    with pytest.raises(openai.BadRequestError, match="already has an active run"):
        runs.create(thread_id=id, assistant_id=assistant)
    with pytest.raises(openai.BadRequestError, match="while a run run_"):
        client.beta.threads.messages.create(id, role="user", content="And then?")


class AsyncListener(AsyncAssistantEventHandler):
    def __init__(self) -> None:
        super().__init__()
        self.text = ""

    async def on_text_delta(self, delta: TextDelta, snapshot: Text) -> None:
        self.text += delta.value or ""


def test_the_async_client_polls_and_streams(async_client: Callable[[], openai.AsyncOpenAI]) -> None:
    async def walk() -> None:
        async with async_client() as client:
            assistant = (await client.beta.assistants.create(model=MODEL, tools=[WEATHER])).id
            threads = client.beta.threads
            run = await threads.create_and_run_poll(
                assistant_id=assistant,
                thread={"messages": [{"role": "user", "content": "Hello"}]},
                tool_choice="required",
                poll_interval_ms=POLL_MS,
            )
            id = run.thread_id
            submitted = threads.runs.submit_tool_outputs_stream(
                run_id=run.id, thread_id=id, tool_outputs=outputs(run), event_handler=AsyncListener()
            )
            async with submitted as stream:
                await stream.until_done()
                assert (await stream.get_final_run()).status == "completed"
            listener = AsyncListener()
            await threads.messages.create(id, role="user", content="Say: one two three")
            async with threads.runs.stream(thread_id=id, assistant_id=assistant, event_handler=listener) as stream:
                await stream.until_done()
            assert listener.text == "one two three"
            second = await threads.runs.create_and_poll(
                thread_id=id, assistant_id=assistant, tool_choice="required", poll_interval_ms=POLL_MS
            )
            await threads.runs.cancel(second.id, thread_id=id)
            assert (await threads.runs.poll(second.id, id, poll_interval_ms=POLL_MS)).status == "cancelled"
            assert second.id in [one.id async for one in threads.runs.list(id, limit=1)]
            assert len([one async for one in threads.runs.steps.list(second.id, thread_id=id)]) == 1
            (step,) = (await threads.runs.steps.list(second.id, thread_id=id)).data
            assert (await threads.runs.steps.retrieve(step.id, thread_id=id, run_id=second.id)).status == "cancelled"
            assert (await threads.runs.retrieve(second.id, thread_id=id)).status == "cancelled"
            assert (await threads.runs.update(second.id, thread_id=id, metadata={"a": "b"})).metadata == {"a": "b"}

    asyncio.run(walk())
