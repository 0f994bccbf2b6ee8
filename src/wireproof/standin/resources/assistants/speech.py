"""What a chat model does with a thread: it calls functions, or it speaks."""

from __future__ import annotations

from typing import Any

from wireproof.standin import chat
from wireproof.standin.conversation import prompt_tokens
from wireproof.standin.resources.assistants.moves import MESSAGES, STEPS, ended, used
from wireproof.standin.resources.assistants.prompt import Body
from wireproof.standin.resources.assistants.rows import new_message
from wireproof.standin.resources.assistants.scene import Leg
from wireproof.standin.store import Row
from wireproof.standin.tokens import count


def answer(leg: Leg, body: Body, cited: list[Row]) -> None:
    scene = leg.scene
    cap = leg.run["max_completion_tokens"]
    if cap is not None:
        body["max_completion_tokens"] = cap - leg.used()["completion_tokens"]
        if body["max_completion_tokens"] < 1:
            leg.incomplete("max_completion_tokens")
            return
    turn = chat.Turn(scene.model, scene.serial, leg.score.now, scene.latency, prompt_tokens(body))
    said = chat.choices(body, turn)[0]
    for _ in range(said.thought):
        leg.token()
    if said.calls:
        _call_functions(leg, said, turn)
    else:
        _speak(leg, said, turn, cited if said.finish == "stop" and "response_format" not in body else [])


def _call_functions(leg: Leg, said: chat.Said, turn: chat.Turn) -> None:
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
        leg.incomplete("max_completion_tokens")
        return
    called = [{**call, "function": {**call["function"], "output": None}} for call in made]
    # Known to the run alone until the outputs are there; no event of the API tells of it.
    leg.score.tell("", STEPS, step["id"], step_details={"type": "tool_calls", "tool_calls": called}, _usage=usage)
    action = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": made}}
    leg.score.run(leg.run["id"], "requires_action", required_action=action)


def _speak(leg: Leg, said: chat.Said, turn: chat.Turn, cited: list[Row]) -> None:
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
        leg.incomplete("max_completion_tokens")
    else:
        score.run(run["id"], **ended("completed", score.now, leg.used()))


def _each_file_once(results: list[Row]) -> list[Row]:
    return list({result["file_id"]: result for result in reversed(results)}.values())[::-1]


def _text(value: str, **more: Any) -> Row:
    return {"index": 0, "type": "text", "text": {"value": value, **more}}
