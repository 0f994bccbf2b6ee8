"""What correct backends do differently from the stand-in in chat and completions: none of it may raise a finding."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

import pytest
from certified import MODELS, certified, contents_of_contracts

from wireproof.plan import Plan, make_plan
from wireproof.spec import load_spec
from wireproof.standin.faults.edit import edit_both, edit_events, edit_frames, edit_json, refused
from wireproof.standin.wire import Answer, Ask, Frame, Serve, event_frame, event_of

Vary = Callable[[Ask, Answer], Answer]
Edit = Callable[[dict[str, Any]], Any]
CHAT, COMPLETIONS = "/v1/chat/completions", "/v1/completions"
OURS = ("chat.*", "reach.*", "structured.*", "tools.*", "completions.*", "usage.*", "sse.*")


@cache
def plan() -> Plan:
    """What feeds the clauses of chat and completions, and those of streams and usage."""
    clauses, probes = contents_of_contracts()
    return make_plan(
        load_spec(), [one for one in clauses if _is_ours(one.id)], [one for one in probes if _is_ours(one.id)], MODELS
    )


def _is_ours(id: str) -> bool:
    return any(fnmatchcase(id, glob) for glob in OURS)


def body(change: Edit) -> Vary:
    """`change` on each answer or chunk that has choices, and on what is stored of it."""

    def edit(value: dict[str, Any]) -> None:
        for one in [value, *(value["data"] if isinstance(value.get("data"), list) else [])]:
            if isinstance(one, dict) and "choices" in one:
                change(one)

    return lambda ask, answer: edit_both(answer, edit)


def choice(change: Edit) -> Vary:
    return body(lambda value: [change(one) for one in value["choices"]])


def message(change: Edit) -> Vary:
    """`change` on each message, not on deltas."""
    return choice(lambda one: change(one["message"]) if "message" in one else None)


def delta(change: Edit) -> Vary:
    return choice(lambda one: change(one["delta"]) if "delta" in one else None)


def usage(change: Edit) -> Vary:
    return body(lambda value: change(value["usage"]) if value.get("usage") else None)


def calls(change: Edit) -> Vary:
    """`change` on each call of a plain answer."""
    return message(lambda one: [change(call) for call in one.get("tool_calls") or ()])


def call_deltas(change: Edit) -> Vary:
    return delta(lambda one: [change(call) for call in one.get("tool_calls") or ()])


def entries(change: Edit) -> Vary:
    """`change` on each entry of the log probabilities of chat, and on its candidates."""

    def edit(one: dict[str, Any]) -> None:
        for entry in (one.get("logprobs") or {}).get("content") or ():
            for each in (entry, *entry["top_logprobs"]):
                change(each)

    return choice(edit)


def rows(change: Edit) -> Vary:
    """`change` on the log probabilities of completions."""
    return choice(lambda one: change(one["logprobs"]) if (one.get("logprobs") or {}).get("tokens") else None)


def events(tell: Callable[[list[dict[str, Any]]], Iterator[dict[str, Any]]]) -> Vary:
    """The chunks of a stream as `tell(chunks)` has them; `[DONE]` stays behind."""

    def edit(frames: list[Frame]) -> Iterator[Frame]:
        chunks = [event_of(frame) for frame in frames]
        told = list(tell([chunk for chunk in chunks if chunk is not None]))
        yield from (event_frame(event, 3.0) for event in told)
        yield from (frame for frame, chunk in zip(frames, chunks, strict=True) if chunk is None)

    return lambda ask, answer: edit_frames(answer, edit)


def both(*variations: Vary) -> Vary:
    def vary(ask: Ask, answer: Answer) -> Answer:
        for one in variations:
            answer = one(ask, answer)
        return answer

    return vary


def unsupported(name: str, says: str = "Unsupported parameter", code: str | None = "unsupported_parameter") -> Vary:
    """A refusal that names the field; the run may go on without it."""

    def vary(ask: Ask, answer: Answer) -> Answer:
        if answer.status != 200 or ask.asked.get(name) is None:
            return answer
        answer = refused(answer, f"{says}: '{name}' is not supported with this model.", param=name)
        error = json.loads(answer.body)
        error["error"]["code"] = code
        return answer.with_json(error)

    return vary


def unserved(path: str, status: int) -> Vary:
    return lambda ask, answer: refused(answer, "Not found", status=status) if ask.path.startswith(path) else answer


# ------------------------------------------------------------------------------------------------- streams


def finish_beside_text(chunks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The last piece of a choice carries its finish, where text or a call came before."""
    told: list[dict[str, Any]] = []
    for chunk in chunks:
        one = (chunk["choices"] or [{}])[0]
        before = [e for e in told if e["choices"] and e["choices"][0]["index"] == one.get("index")]
        if one.get("finish_reason") and before:
            before[-1]["choices"][0]["finish_reason"] = one["finish_reason"]
        else:
            told.append(chunk)
    yield from told


def choice_after_choice(chunks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    yield from sorted(chunks, key=lambda chunk: chunk["choices"][0]["index"] if chunk["choices"] else 99)


def choices_side_by_side(chunks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The next chunk of another choice comes in the same event."""
    told: list[dict[str, Any]] = []
    for chunk in chunks:
        indices = {one["index"] for one in told[-1]["choices"]} if told else set()
        if chunk["choices"] and indices and chunk["choices"][0]["index"] not in indices:
            told[-1]["choices"] += chunk["choices"]
        else:
            told.append(chunk)
    yield from told


def empty_deltas_between(chunks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for chunk in chunks:
        yield chunk
        one = (chunk["choices"] or [{}])[0]
        if (one.get("delta") or {}).get("content") and not one["finish_reason"]:
            yield {**chunk, "choices": [{**one, "delta": {"content": ""}, "logprobs": None}]}


def thoughts_first(chunks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Each choice thinks in `reasoning_content` before it speaks."""
    begun: set[int] = set()
    for chunk in chunks:
        yield chunk
        for one in chunk["choices"]:
            if "delta" in one and one["index"] not in begun and not one["finish_reason"]:
                begun.add(one["index"])
                for word in ("Let me", " think."):
                    thought = {"reasoning_content": word, "content": None}
                    yield {**chunk, "choices": [{**one, "delta": thought, "logprobs": None}]}


def call_in_one_delta(chunks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """All that a call is comes in its first delta."""
    first: dict[int, dict[str, Any]] = {}
    told = []
    for chunk in chunks:
        parts = ((chunk["choices"] or [{}])[0].get("delta") or {}).get("tool_calls")
        if parts and parts[0]["index"] in first:
            first[parts[0]["index"]]["function"]["arguments"] += parts[0]["function"]["arguments"]
            continue
        if parts:
            first[parts[0]["index"]] = parts[0]
        told.append(chunk)
    yield from told


def words_before_calls(chunks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    are_calls = any(one.get("delta", {}).get("tool_calls") for chunk in chunks for one in chunk["choices"])
    for number, chunk in enumerate(chunks):
        yield chunk
        if are_calls and number == 0 and not chunk["choices"][0]["delta"].get("tool_calls"):
            yield {**chunk, "choices": [{**chunk["choices"][0], "delta": {"content": "I'll look that up."}}]}


def late_filter_report(chunks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    yield from chunks[:2]
    report: dict[str, Any] = {
        "index": 0,
        "finish_reason": None,
        "content_filter_results": {},
        "content_filter_offsets": {},
    }
    if chunks[0]["object"] == "chat.completion.chunk":
        yield {"id": "", "object": "", "created": 0, "model": "", "choices": [report]}
    yield from chunks[2:]


def null_keys_in_deltas(one: dict[str, Any]) -> None:
    for key in ("content", "role", "refusal", "tool_calls", "function_call", "reasoning_content"):
        one.setdefault(key, None)


# ------------------------------------------------------------------------------------------ whole backends


def refuses_as_a_model(ask: Ask, answer: Answer) -> Answer:
    """A model that declines every question in words: `refusal`, in streams too."""
    if any(ask.asked.get(name) for name in ("tools", "stop", "echo", "prompt")) or ask.path != CHAT:
        return answer

    def plain(value: dict[str, Any]) -> None:
        for one in value.get("choices", ()):
            one["message"] |= {"content": None, "refusal": "I can't help with that."}
            one["logprobs"] = None

    def edit(value: dict[str, Any]) -> None:
        for one in value.get("choices", ()):
            one["logprobs"] = None
            if one["delta"].get("content"):
                one["delta"]["refusal"] = one["delta"].pop("content")

    return edit_events(edit_json(answer, plain), edit) if not ask.asked.get("store") else answer


def counts_the_end(ask: Ask, answer: Answer) -> Answer:
    """The mark that ends an answer is counted, where there was room for it."""

    def edit(value: dict[str, Any]) -> None:
        ends = [one.get("finish_reason") for one in value.get("choices", ())]
        if value.get("usage") and ends == ["stop"] and not ask.asked.get("store"):
            value["usage"]["completion_tokens"] += 1
            value["usage"]["total_tokens"] += 1

    return edit_json(answer, edit) if ask.path == CHAT and ask.asked.get("max_tokens", 99) > 20 else answer


def warm_cache(ask: Ask, answer: Answer) -> Answer:
    def edit(value: dict[str, Any]) -> None:
        if value.get("usage") and not ask.asked.get("store"):
            value["usage"]["prompt_tokens_details"] = {"cached_tokens": value["usage"]["prompt_tokens"] - 1}

    return edit_both(answer, edit) if ask.method == "POST" and ask.path in (CHAT, COMPLETIONS) else answer


VARIATIONS: dict[str, Vary] = {
    # --- shapes
    "OpenRouter's keys": body(lambda v: v.update(provider="X", native_finish_reason="STOP")),
    "Azure's filter results": choice(lambda c: c.update(content_filter_results={"hate": {"filtered": False}})),
    "Groq's keys": body(lambda v: v.update(x_groq={"id": "req_1", "usage": {"prompt_tokens": 1}})),
    "llama.cpp's timings": body(lambda v: v.update(timings={"prompt_n": 1, "predicted_ms": 3.2})),
    "vLLM's nulls": message(lambda m: m.update(refusal=None, audio=None, function_call=None, reasoning_content=None)),
    "vLLM's stop_reason": choice(lambda c: c.update(stop_reason=151645, token_ids=None)),
    "citations": message(
        lambda m: m.update(annotations=[{"type": "url_citation", "url_citation": {
            "start_index": 0, "end_index": 3, "url": "https://example.com", "title": "A page"}}])
    ),
    "thoughts apart from the text": both(
        message(lambda m: m.update(reasoning_content="Let me think.")), events(thoughts_first)
    ),
    "a snapshot of the model": body(lambda v: v.update(model=f"{v['model']}-2026-05-01")),
    "a vendor's service tier": body(lambda v: v.update(service_tier="on_demand")),
    # --- counts
    "details of a vendor": usage(lambda u: u.update(cost=0.0001, queue_time=0.01, cost_details={"upstream": None})),
    "details null": usage(lambda u: u.update(prompt_tokens_details=None, completion_tokens_details=None)),
    "values of details null": usage(
        lambda u: u.update(prompt_tokens_details={"cached_tokens": None}, completion_tokens_details={})
    ),
    "a cache that is warm": warm_cache,
    "the end mark is counted": counts_the_end,
    # --- streams
    "all keys of deltas, null": delta(null_keys_in_deltas),
    "empty text on the finish": choice(
        lambda c: c["delta"].update(content="") if c.get("finish_reason") and "delta" in c else None
    ),
    "the finish beside the last text": events(finish_beside_text),
    "one choice after the other": events(choice_after_choice),
    "choices side by side": events(choices_side_by_side),
    "empty deltas in between": events(empty_deltas_between),
    "a late report of a filter": events(late_filter_report),
    "obfuscation": body(lambda v: v.update(obfuscation="aZ3") if v["object"].endswith("chunk") else None),
    "usage null though not asked": body(lambda v: v.setdefault("usage", None)),
    # --- tools
    "a call in one delta": events(call_in_one_delta),
    "words before streamed calls": events(words_before_calls),
    "id null in later deltas": call_deltas(lambda c: c.setdefault("id", None)),
    "id empty in later deltas": call_deltas(lambda c: c.setdefault("id", "")),
    "index in plain calls": calls(lambda c: c.update(index=0)),
    "long ids of calls": calls(lambda c: c.update(id=f"chatcmpl-tool-{c['id']}")),
    "arguments laid out": calls(
        lambda c: c["function"].update(arguments=json.dumps(json.loads(c["function"]["arguments"]), indent=2) + "\n")
    ),
    "arguments in ASCII": calls(
        lambda c: c["function"].update(arguments=json.dumps(json.loads(c["function"]["arguments"])))
    ),
    "words beside calls": message(lambda m: m.update(content="I'll look.") if m.get("tool_calls") else None),
    "empty text beside calls": message(lambda m: m.update(content="") if m.get("tool_calls") else None),
    # --- log probabilities
    "no bytes": entries(lambda e: e.update(bytes=None)),
    "keys of a vendor in entries": entries(lambda e: e.update(id=17, rank=1)),
    "certain tokens": entries(lambda e: e.update(logprob=0.0 if "top_logprobs" in e else e["logprob"])
                              if "top_logprobs" not in e or e["logprob"] > -0.004 else None),
    "logprobs of nothing": choice(
        lambda c: c.update(logprobs={"content": None}) if "message" in c and not c["logprobs"] else None
    ),
    "no candidates of the first token": rows(
        lambda r: r["top_logprobs"].__setitem__(0, None) if len(r["tokens"]) > 1 else None
    ),
    # --- what is not offered
    **{
        f"no {name}": unsupported(name)
        for name in ("tools", "response_format", "logprobs", "n", "stop", "store", "stream_options", "logit_bias",
                     "max_completion_tokens", "echo")
    },
    "temperature is fixed": unsupported("temperature", "Unsupported value", "unsupported_value"),
    "tools refused in words": unsupported("tools", "Sorry", None),
    "logit_bias refused in words": unsupported("logit_bias", "Sorry", None),
    "echo refused in words": unsupported("echo", "Sorry", None),
    "no legacy completions": unserved(COMPLETIONS, 404),
    "no stored completions": unserved(f"{CHAT}/", 404),
    "stored completions not yet": unserved(f"{CHAT}/", 501),
    "a model that declines": refuses_as_a_model,
}  # fmt: skip


@pytest.mark.parametrize("name", VARIATIONS)
def test_a_legal_variation_of_chat_raises_no_finding(name: str) -> None:
    def vary(ask: Ask, serve: Serve) -> Answer:
        return VARIATIONS[name](ask, serve(ask))

    verdicts = certified(vary=vary, plan=plan()).verdicts.values()
    assert {one.clause.id: one.findings for one in verdicts if one.findings and one.clause.level != "MAY"} == {}


# ---------------------------------------------------------------------------------------------------- models


def varying(ask: Ask, serve: Serve) -> Answer:
    """A backend that never says the same thing twice."""
    messages = ask.asked.get("messages")
    if (
        ask.path != CHAT
        or not isinstance(messages, list)
        or any(ask.asked.get(n) for n in ("tools", "response_format"))
    ):
        return serve(ask)
    varying.turn = getattr(varying, "turn", 0) + 1  # type: ignore[attr-defined]  # counts across a run
    return serve(ask.changed(temperature=varying.turn / 1000))  # type: ignore[attr-defined]


def curt(ask: Ask, serve: Serve) -> Answer:
    """A model that says Hi to everything, in one token."""
    messages = ask.asked.get("messages")
    if (
        ask.path != CHAT
        or not isinstance(messages, list)
        or any(ask.asked.get(n) for n in ("tools", "response_format"))
    ):
        return serve(ask)
    last = copy.deepcopy(messages[-1]) if messages else None
    if not isinstance(last, dict) or not isinstance(last.get("content"), str) or len(last["content"]) > 100:
        return serve(ask)
    return serve(ask.changed(messages=[*messages[:-1], {**last, "content": "Reply with: Hi"}]))


@pytest.mark.parametrize("vary", [varying, curt], ids=lambda vary: vary.__name__)
def test_a_model_of_its_own_mind_raises_no_finding(vary: Callable[[Ask, Serve], Answer]) -> None:
    verdicts = certified(vary=vary, plan=plan()).verdicts.values()
    assert {one.clause.id: one.findings for one in verdicts if one.findings and one.clause.level != "MAY"} == {}
