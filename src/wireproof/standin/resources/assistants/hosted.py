"""Tools that run here: a search of files, a piece of code. Each use is a step of its own."""

from __future__ import annotations

import json

from wireproof.standin.conversation import last_words, prompt_tokens
from wireproof.standin.resources.assistants.moves import used
from wireproof.standin.resources.assistants.prompt import Body, forced_hosted, hosted_tools
from wireproof.standin.resources.assistants.scene import Leg
from wireproof.standin.store import Row
from wireproof.standin.tokens import count, tokenized
from wireproof.standin.toolcalls import Tool, is_meant

# How much of a question is put into the code that is said to answer it.
MOST_WORDS = 40


def use_hosted(leg: Leg) -> list[Row]:
    """Uses those that are forced or meant; gives the search results that the answer is to cite."""
    forced = forced_hosted(leg.run)
    choice = leg.run["tool_choice"]
    cited: list[Row] = []
    for tool in hosted_tools(leg.run):
        body = leg.ask()
        words = last_words(body["messages"])
        is_open = choice in ("auto", "required", None)
        if tool.name == forced or (is_open and forced is None and is_meant(tool, words.lower())):
            cited += _search(leg, tool, body, words) if tool.name == "file_search" else _run_code(leg, body, words)
    return cited


def _search(leg: Leg, tool: Tool, body: Body, words: str) -> list[Row]:
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


def _run_code(leg: Leg, body: Body, words: str) -> list[Row]:
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


def _complete_call(leg: Leg, step: Row, body: Body, call: Row, tokens: int) -> None:
    leg.change_step(
        "completed",
        step,
        status="completed",
        completed_at=leg.score.now,
        step_details={"type": "tool_calls", "tool_calls": [call]},
        usage=used(prompt_tokens(body).total, tokens),
    )
