"""Requests of the Assistants API to a backend without a socket, for the tests of this folder."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from standin.asking import CHAT, Clock, ask, backend, form

from wireproof.sse import lex
from wireproof.standin.backend import Setup
from wireproof.standin.wire import Answer, Frame
from wireproof.streams import Said, grammar, slips

BETA = ("openai-beta", "assistants=v2")
CODE, SEARCH = {"type": "code_interpreter"}, {"type": "file_search"}


class Desk:
    """A backend with a clock, and one assistant to ask."""

    def __init__(self, setup: Setup | None = None, **assistant: Any) -> None:
        self.clock = Clock()
        self.backend = backend(setup, self.clock)
        self.assistant: str = self.made("/assistants", {"model": CHAT, **assistant})["id"]

    def ask(self, method: str, path: str, body: Any = None, **query: str) -> Answer:
        asked = ask(method, path, body, **query)
        return self.backend.answer(replace(asked, headers=(*asked.headers, BETA)))

    def got(self, path: str, **query: str) -> Any:
        return told(self.ask("GET", path, **query))

    def made(self, path: str, body: Any) -> Any:
        return told(self.ask("POST", path, body))

    def file(self, name: str, content: str) -> str:
        asked = form("/files", {"purpose": "assistants", "file": (name, content.encode())})
        id: str = told(self.backend.answer(asked))["id"]
        return id

    def thread(self, *texts: str, **fields: Any) -> str:
        messages = [{"role": "user", "content": text} for text in texts]
        id: str = self.made("/threads", {"messages": messages, **fields})["id"]
        return id

    def run(self, thread: str, **fields: Any) -> Any:
        return self.made(f"/threads/{thread}/runs", {"assistant_id": self.assistant, **fields})

    def streamed(self, thread: str, **fields: Any) -> Answer:
        return self.ask("POST", f"/threads/{thread}/runs", {"assistant_id": self.assistant, "stream": True, **fields})

    def passes(self, seconds: float) -> None:
        self.clock.now += seconds

    def later(self, run: Any, seconds: float = 60.0) -> Any:
        """The run after so long."""
        self.passes(seconds)
        return self.got(f"/threads/{run['thread_id']}/runs/{run['id']}")

    def steps(self, run: Any, **query: str) -> list[Any]:
        """Oldest first."""
        query = {"order": "asc", **query}
        return list(self.got(f"/threads/{run['thread_id']}/runs/{run['id']}/steps", **query)["data"])

    def messages(self, thread: str, **query: str) -> list[Any]:
        """Oldest first."""
        return list(self.got(f"/threads/{thread}/messages", **{"order": "asc", **query})["data"])

    def submit(self, run: Any, output: str = "sunny", **fields: Any) -> Answer:
        """One output for each call the run waits for."""
        calls = run["required_action"]["submit_tool_outputs"]["tool_calls"]
        outputs = [{"tool_call_id": call["id"], "output": output} for call in calls]
        path = f"/threads/{run['thread_id']}/runs/{run['id']}/submit_tool_outputs"
        return self.ask("POST", path, {"tool_outputs": outputs, **fields})


def told(answer: Answer) -> Any:
    assert answer.status == 200, answer.body
    return answer.json


def text(message: Any) -> str:
    return "".join(part["text"]["value"] for part in message["content"])


def events(answer: Answer) -> list[tuple[str, Any]]:
    """`(name, data)` of each event but the last, which is `done`."""
    assert answer.status == 200, answer.body
    assert isinstance(answer.frames, list)
    return events_in(list(answer.frames))


def events_in(frames: list[Frame]) -> list[tuple[str, Any]]:
    found = list(lex((0.0, frame.data) for frame in frames))
    assert (found[-1].name, found[-1].data) == ("done", "[DONE]")
    told = [(event.name or "", json.loads(event.data or "")) for event in found[:-1]]
    assert slips(grammar("assistants"), [Said(name, data) for name, data in told]) == []
    return told
