"""One leg of a run, played through: from the moment it is set going to its end, or to where it waits for outputs.

First the hosted tools that are forced or meant (a search of files, a piece of code), each a step of its own; then
what a chat model would do with the same thread: call functions, and the run waits; or speak, and it is done.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from wireproof.standin import chat
from wireproof.standin.catalogue import Model
from wireproof.standin.conversation import last_words, prompt_tokens
from wireproof.standin.latency import Latency
from wireproof.standin.resources.assistants.moves import MESSAGES, STEPS, Score, cut_short, ended, usage_of, used
from wireproof.standin.resources.assistants.prompt import Body, PromptTooLong, asked, forced_hosted, hosted_tools
from wireproof.standin.store import Row
from wireproof.standin.tokens import count, tokenized
from wireproof.standin.toolcalls import Tool, is_meant

# How much of a question is put into the code that is said to answer it.
MOST_WORDS = 40


class SearchFailed(Exception):
    """A vector store that a run names is not there."""


@dataclass(frozen=True)
class Scene:
    """What a leg starts from. `messages` and `steps` oldest first; `search(query, options)` finds chunks of files."""

    run: Row
    messages: Sequence[Row]
    steps: Sequence[Row]
    model: Model
    latency: Latency
    serial: str
    new_id: Callable[[str], str]
    search: Callable[[str, Row], list[Row]]
    queue_ms: float = 0.0
    work_ms: float = 0.0


@dataclass
class _Leg:
    """`steps` are those of the whole run, as they stand."""

    scene: Scene
    score: Score
    steps: list[Row]
    gaps: Iterator[float] = field(init=False)

    def __post_init__(self) -> None:
        self.gaps = self.scene.latency.gaps(self.scene.serial)

    @property
    def run(self) -> Row:
        return self.scene.run

    def token(self) -> None:
        """The next word comes after its time."""
        self.score.wait(next(self.gaps))

    def used(self) -> Row:
        return usage_of(self.steps)

    def new_step(self, details: Row) -> Row:
        step = {
            "id": self.scene.new_id("step_"),
            "object": "thread.run.step",
            "created_at": self.score.now,
            "assistant_id": self.run["assistant_id"],
            "thread_id": self.run["thread_id"],
            "run_id": self.run["id"],
            "type": details["type"],
            "status": "in_progress",
            "step_details": details,
            "last_error": None,
            "expired_at": None,
            "cancelled_at": None,
            "failed_at": None,
            "completed_at": None,
            "metadata": None,
            "usage": None,
        }
        self.steps.append(step)
        self.score.tell("thread.run.step.created", STEPS, step["id"], **step)
        self.score.tell("thread.run.step.in_progress", STEPS, step["id"])
        return step

    def change_step(self, event: str, step: Row, **change: Any) -> None:
        self.steps[self.steps.index(step)] = {**step, **change}
        self.score.tell(f"thread.run.step.{event}", STEPS, step["id"], **change)

    def piece(self, step: Row, kind: str, index: int, told: Row, **more: Any) -> None:
        """A piece of one tool call of a step."""
        call = {"index": index, **more, "type": kind, kind: told}
        details = {"type": "tool_calls", "tool_calls": [call]}
        self.score.piece("thread.run.step.delta", STEPS, step["id"], step_details=details)


def play(scene: Scene, score: Score) -> None:
    """Writes the moves of the leg that begins now, with the run queued."""
    leg = _Leg(scene, score, list(scene.steps))
    score.run(scene.run["id"], "queued", required_action=None)
    score.wait(scene.queue_ms)
    started = scene.run["started_at"] or score.now
    score.run(scene.run["id"], "in_progress", started_at=started)
    score.wait(scene.work_ms)
    try:
        cited = _use_hosted(leg) if not scene.steps else []
        _answer(leg, _ask(leg), cited)
    except PromptTooLong as reason:
        if reason.by_cap:
            _incomplete(leg, "max_prompt_tokens")
        else:
            error = {"code": "invalid_prompt", "message": f"The thread does not fit the model: {reason}."}
            cut_short(score, scene.run, leg.steps, [], "failed", error)
    except SearchFailed as reason:
        error = {"code": "server_error", "message": str(reason)}
        cut_short(score, scene.run, leg.steps, [], "failed", error)


def _ask(leg: _Leg) -> Body:
    scene = leg.scene
    return asked(scene.run, scene.messages, leg.steps, scene.model, leg.used()["prompt_tokens"])


def _incomplete(leg: _Leg, reason: str) -> None:
    change = ended("incomplete", leg.score.now, leg.used(), incomplete_details={"reason": reason})
    leg.score.run(leg.run["id"], **change)


# ---- hosted tools


def _use_hosted(leg: _Leg) -> list[Row]:
    """Uses those that are forced or meant; gives the search results that the answer is to cite."""
    forced = forced_hosted(leg.run)
    choice = leg.run["tool_choice"]
    cited: list[Row] = []
    for tool in hosted_tools(leg.run):
        body = _ask(leg)
        words = last_words(body["messages"])
        is_open = choice in ("auto", "required", None)
        if tool.name == forced or (is_open and forced is None and is_meant(tool, words.lower())):
            cited += _search(leg, tool, body, words) if tool.name == "file_search" else _run_code(leg, body, words)
    return cited


def _search(leg: _Leg, tool: Tool, body: Body, words: str) -> list[Row]:
    options = tool.schema.get("file_search") or {}
    step = leg.new_step({"type": "tool_calls", "tool_calls": []})
    leg.token()
    results = leg.scene.search(words, options)
    id = leg.scene.new_id("call_")
    leg.piece(step, "file_search", 0, {}, id=id)
    ranking = options.get("ranking_options") or {}
    found = {
        "ranking_options": {
            "ranker": ranking.get("ranker", "default_2024_08_21"),
            "score_threshold": ranking.get("score_threshold", 0.0),
        },
        "results": results,
    }
    _complete_call(leg, step, body, {"id": id, "type": "file_search", "file_search": found}, count(words))
    return results


def _run_code(leg: _Leg, body: Body, words: str) -> list[Row]:
    """Code that counts the words of the question, and truly the number it would print."""
    question = " ".join(words.split()[:MOST_WORDS])
    code = f"words = {json.dumps(question)}.split()\nprint(len(words))"
    logs = f"{len(question.split())}\n"
    step = leg.new_step({"type": "tool_calls", "tool_calls": []})
    id = leg.scene.new_id("call_")
    leg.token()
    leg.piece(step, "code_interpreter", 0, {"input": "", "outputs": []}, id=id)
    pieces = tokenized(code)
    for piece in pieces:
        leg.piece(step, "code_interpreter", 0, {"input": piece})
        leg.token()
    leg.piece(step, "code_interpreter", 0, {"outputs": [{"index": 0, "type": "logs", "logs": logs}]})
    ran = {"input": code, "outputs": [{"type": "logs", "logs": logs}]}
    _complete_call(leg, step, body, {"id": id, "type": "code_interpreter", "code_interpreter": ran}, len(pieces))
    return []


def _complete_call(leg: _Leg, step: Row, body: Body, call: Row, tokens: int) -> None:
    leg.change_step(
        "completed",
        step,
        status="completed",
        completed_at=leg.score.now,
        step_details={"type": "tool_calls", "tool_calls": [call]},
        usage=used(prompt_tokens(body).total, tokens),
    )


# ---- functions, or words


def _answer(leg: _Leg, body: Body, cited: list[Row]) -> None:
    scene = leg.scene
    cap = leg.run["max_completion_tokens"]
    if cap is not None:
        body["max_completion_tokens"] = cap - leg.used()["completion_tokens"]
        if body["max_completion_tokens"] < 1:
            _incomplete(leg, "max_completion_tokens")
            return
    turn = chat.Turn(scene.model, scene.serial, leg.score.now, scene.latency, prompt_tokens(body))
    said = chat.choices(body, turn)[0]
    for _ in range(said.thought):
        leg.token()
    if said.calls:
        _call_functions(leg, said, turn)
    else:
        _speak(leg, said, turn, cited if said.finish == "stop" and "response_format" not in body else [])


def _call_functions(leg: _Leg, said: chat.Said, turn: chat.Turn) -> None:
    step = leg.new_step({"type": "tool_calls", "tool_calls": []})
    for index, call in enumerate(said.calls):
        leg.token()
        leg.piece(step, "function", index, {"name": call.tool.name, "arguments": "", "output": None}, id=call.id)
        for token in call.tokens:
            leg.token()
            leg.piece(step, "function", index, {"arguments": token})
    usage = used(turn.prompt.total, said.token_count)
    made = [call.json() for call in said.calls]
    if said.finish == "length":
        leg.change_step("cancelled", step, status="cancelled", cancelled_at=leg.score.now, usage=usage)
        _incomplete(leg, "max_completion_tokens")
        return
    called = [{**call, "function": {**call["function"], "output": None}} for call in made]
    # Known to the run alone until the outputs are there; no event of the API tells of it.
    leg.score.tell("", STEPS, step["id"], step_details={"type": "tool_calls", "tool_calls": called}, _usage=usage)
    action = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": made}}
    leg.score.run(leg.run["id"], "requires_action", required_action=action)


def _speak(leg: _Leg, said: chat.Said, turn: chat.Turn, cited: list[Row]) -> None:
    score, run, id = leg.score, leg.run, leg.scene.new_id("msg_")
    step = leg.new_step({"type": "message_creation", "message_creation": {"message_id": id}})
    message = new_message(id, run["thread_id"], "assistant", [], score.now, run=run)
    score.tell("thread.message.created", MESSAGES, id, **message)
    score.tell("thread.message.in_progress", MESSAGES, id)
    annotations: list[Row] = []
    written = ""
    for number, token in enumerate(said.tokens):
        leg.token()
        score.piece(
            "thread.message.delta", MESSAGES, id, content=[_text(token) if number else _text(token, annotations=[])]
        )
        written += token
    for index, result in enumerate(_each_file_once(cited)):
        mark = f"【{index}:0†{result['file_name']}】"
        annotation = {
            "type": "file_citation",
            "text": mark,
            "start_index": len(written),
            "end_index": len(written) + len(mark),
            "file_citation": {"file_id": result["file_id"]},
        }
        leg.token()
        score.piece("thread.message.delta", MESSAGES, id,
                    content=[_text(mark, annotations=[{"index": index, **annotation}])])  # fmt: skip
        annotations.append(annotation)
        written += mark
    is_cut = said.finish == "length"
    # A model that thought until the cap said nothing at all.
    content = [{"type": "text", "text": {"value": written, "annotations": annotations}}] if written else []
    if is_cut:
        score.tell("thread.message.incomplete", MESSAGES, id, status="incomplete", content=content,
                   incomplete_at=score.now, incomplete_details={"reason": "max_tokens"})  # fmt: skip
    else:
        score.tell("thread.message.completed", MESSAGES, id, status="completed", content=content,
                   completed_at=score.now)  # fmt: skip
    tokens = said.token_count + sum(count(one["text"]) for one in annotations)
    leg.change_step(
        "completed", step, status="completed", completed_at=score.now, usage=used(turn.prompt.total, tokens)
    )
    if is_cut:
        _incomplete(leg, "max_completion_tokens")
    else:
        score.run(run["id"], **ended("completed", score.now, leg.used()))


def _each_file_once(results: list[Row]) -> list[Row]:
    return list({result["file_id"]: result for result in reversed(results)}.values())[::-1]


def _text(value: str, **more: Any) -> Row:
    return {"index": 0, "type": "text", "text": {"value": value, **more}}


def new_message(
    id: str, thread_id: str, role: str, content: list[Row], now: int, *, run: Row | None = None, **more: Any
) -> Row:
    """A message: of a run, which is still at it, or of a client, which is whole."""
    return {
        "id": id,
        "object": "thread.message",
        "created_at": now,
        "thread_id": thread_id,
        "status": "in_progress" if run else "completed",
        "incomplete_details": None,
        "completed_at": None if run else now,
        "incomplete_at": None,
        "role": role,
        "content": content,
        "assistant_id": run["assistant_id"] if run else None,
        "run_id": run["id"] if run else None,
        "attachments": [],
        "metadata": {},
        **more,
    }
