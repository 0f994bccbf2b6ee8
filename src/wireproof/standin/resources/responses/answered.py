"""What is answered: the items of the output, in the order in which they come about, within the tokens there are."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from wireproof.standin import prose
from wireproof.standin.call import Call
from wireproof.standin.catalogue import Model
from wireproof.standin.chat import VERBOSITY
from wireproof.standin.logprobs import entry, ranked
from wireproof.standin.patterns import matching
from wireproof.standin.reasoning import thought_tokens
from wireproof.standin.resources.responses import hosted, mcp
from wireproof.standin.resources.responses.asked import RESULTS, Asked
from wireproof.standin.resources.responses.compaction import compacted, summary_of
from wireproof.standin.resources.responses.items import LOGPROBS, Item
from wireproof.standin.resources.responses.moderated import holds_back, judged
from wireproof.standin.resources.responses.tools import Declared, chosen, declared
from wireproof.standin.structured import forced_json
from wireproof.standin.tokens import count, joined, tokenized
from wireproof.standin.toolcalls import arguments_of
from wireproof.standin.world import World

# Fields that change what is said; all others change how it is delivered, priced or kept.
SAYING = ("temperature", "top_p", "tool_choice", "parallel_tool_calls", "text", "reasoning")
MOST_SUMMARY = 24
TOLD_TO_REFUSE = re.compile(r"^\s*refuse\b", re.IGNORECASE)
REFUSAL = "I'm sorry, but I can't help with that."


@dataclass
class Answered:
    """Grows item by item until `left` tokens are spent. `is_cut`: there was more to say."""

    left: int
    items: list[Item] = field(default_factory=list)
    sources: list[Item] = field(default_factory=list)
    reasoning_tokens: int = 0
    output_tokens: int = 0
    is_cut: bool = False
    is_held_back: bool = False
    moderation: dict[str, Any] | None = None

    @property
    def reason(self) -> str | None:
        """Why it is incomplete; None when it is not."""
        return "content_filter" if self.is_held_back else "max_output_tokens" if self.is_cut else None

    def spend(self, tokens: int) -> bool:
        """Whether there are so many; what there is is spent."""
        spent = min(tokens, self.left)
        self.left -= spent
        self.output_tokens += spent
        self.is_cut = self.is_cut or spent < tokens
        return spent == tokens


def answered(world: World, call: Call, asked: Asked, model: Model) -> Answered:
    """The output, as moderation lets it through. Refuses what only its making shows: stores that are not there,
    approvals of nothing.
    """
    if call.body.get("moderation") is None:
        return _answered(world, call, asked, model)
    before = judged(world, call.body, asked.given)
    if holds_back(call.body, "input", before):
        return Answered(0, is_held_back=True, moderation={"input": before, "output": judged(world, call.body, ())})
    made = _answered(world, call, asked, model)
    after = judged(world, call.body, made.items)
    if holds_back(call.body, "output", after):
        made.is_held_back = True
        made.items = [item for item in made.items if item["type"] != "message"]
    made.moderation = {"input": before, "output": after}
    return made


def _answered(world: World, call: Call, asked: Asked, model: Model) -> Answered:
    body = call.body
    meaning = _meaning(asked, body, model)
    made = Answered(body.get("max_output_tokens") or model.max_output_tokens)
    if asked.is_to_be_compacted:
        made.items.append(compacted(asked.words, meaning, call.id))
        made.spend(min(made.left, count(summary_of(made.items[0]))))
    if asked.is_only_to_be_compacted:
        return made
    _think(made, body, model, meaning, call)
    if made.is_cut:
        return made
    last = asked.items[-1]["type"] if asked.items else "message"
    tools = chosen(body, asked.words, is_answered=last in RESULTS or last == "mcp_approval_response")
    is_waiting = _use_tools(made, world, call, asked, tools, meaning)
    if not is_waiting and not made.is_cut:
        _say(made, asked, body, meaning, call)
    return made


def _meaning(asked: Asked, body: Mapping[str, Any], model: Model) -> str:
    said = {name: body[name] for name in SAYING if name in body}
    return json.dumps([model.snapshot, asked.chat, said], sort_keys=True)


def _think(made: Answered, body: Mapping[str, Any], model: Model, meaning: str, call: Call) -> None:
    reasoning = body.get("reasoning") or {}
    thought = thought_tokens(model, reasoning.get("effort"), meaning)
    if not thought:
        return
    made.spend(thought)
    made.reasoning_tokens = made.output_tokens
    summary = []
    if reasoning.get("summary") or reasoning.get("generate_summary"):
        words = prose.reply("", f"summary:{meaning}", most=min(MOST_SUMMARY, made.reasoning_tokens))
        summary = [{"type": "summary_text", "text": joined(words)}]
    item = {"id": call.id("rs_"), "type": "reasoning", "summary": summary}
    made.items.append({**item, "encrypted_content": f"gAAAAA{prose.dice(meaning).getrandbits(256):064x}"})


def _use_tools(made: Answered, world: World, call: Call, asked: Asked, tools: Sequence[Declared], meaning: str) -> bool:
    """Uses `tools`; whether the caller has to do something before there can be words."""
    body, is_waiting, used = call.body, False, 0
    listed = [mcp.listing(one, asked.items, call.id) for one in declared(body) if one.family == "mcp"]
    made.items += [item for item in listed if item is not None]
    made.items += mcp.approved(asked.given, asked.items, call.id)
    most = body.get("max_tool_calls")
    for at, tool in enumerate(tools):
        if tool.family in ("function", "custom"):
            is_waiting = _call_back(made, call, asked, tool, f"{meaning}/{tool.name}/{at}") or is_waiting
            continue
        used += 1
        if most is not None and used > most:
            continue
        if tool.family == "mcp":
            done = hosted.Done((mcp.request(tool, body.get("tool_choice"), asked.words, call.id),))
            is_waiting = is_waiting or done.items[0]["type"] == "mcp_approval_request"
        else:
            done = hosted.use(world, call, tool, asked.words, f"{meaning}/{at}")
            is_waiting = is_waiting or not tool.is_hosted
        if made.is_cut or not made.spend(done.output_tokens):
            break
        made.items += done.items
        made.sources += done.sources
    return is_waiting


def _call_back(made: Answered, call: Call, asked: Asked, tool: Declared, meaning: str) -> bool:
    """A call that the caller has to make; cut short when the tokens run out. False when there were none left."""
    if made.is_cut:
        return False
    if tool.pattern is not None:
        tokens = tokenized(matching(tool.pattern, prose.dice(meaning)))
    else:
        tokens = list(arguments_of(tool.as_chat, asked.words, meaning))
    kept = tokens[: made.left]
    made.spend(len(tokens))
    field, kind, prefix = (
        ("arguments", "function_call", "fc_") if tool.family == "function" else ("input", "custom_tool_call", "ctc_")
    )
    item = {
        "id": call.id(prefix),
        "type": kind,
        "status": "incomplete" if made.is_cut else "completed",
        "call_id": call.id("call_"),
        "name": tool.name,
        field: joined(kept),
    }
    made.items.append({**item, "namespace": tool.namespace} if tool.namespace else item)
    return True


def _say(made: Answered, asked: Asked, body: Mapping[str, Any], meaning: str, call: Call) -> None:
    forced = forced_json(asked.chat, meaning)
    verbosity = VERBOSITY.get((body.get("text") or {}).get("verbosity") or "", 1.0)
    is_refusal = bool(TOLD_TO_REFUSE.search(asked.words))
    if is_refusal:
        natural = tokenized(REFUSAL)
    elif forced is not None:
        natural = tokenized(forced)
    else:
        # One more than fits tells "cut" from "at its end".
        natural = prose.reply(asked.words, meaning, most=made.left + 1, verbosity=verbosity)
    kept = natural[: made.left]
    if not kept and natural:
        made.is_cut = True
        return
    made.spend(len(natural))
    item: Item = {
        "id": call.id("msg_"),
        "type": "message",
        "status": "incomplete" if made.is_cut else "completed",
        "role": "assistant",
    }
    if is_refusal:
        part: Item = {"type": "refusal", "refusal": joined(kept)}
    else:
        part = {"type": "output_text", "text": joined(kept), "annotations": [], "logprobs": []}
        if made.sources and forced is None and not made.is_cut:
            _cite(made, part)
        part["logprobs"] = _logprobs(part["text"], body, meaning)
    made.items.append({**item, "content": [part]})


def _cite(made: Answered, part: Item) -> None:
    """Web pages are named in the text itself, files only in what is noted about it."""
    for source in made.sources:
        if source["type"] == "url_citation":
            link = f"([{source['title']}]({source['url']}))"
            if not made.spend(count(" " + link)):
                return
            start = len(part["text"]) + 1
            part["text"] += " " + link
            part["annotations"].append({**source, "start_index": start, "end_index": start + len(link)})
        else:
            part["annotations"].append({**source, "index": max(0, len(part["text"]) - 1)})


def _logprobs(text: str, body: Mapping[str, Any], meaning: str) -> list[Item]:
    most = body.get("top_logprobs") or 0
    if not most and LOGPROBS not in (body.get("include") or ()):
        return []
    return [entry(rows, most) for rows in ranked(tokenized(text), meaning, most)]
