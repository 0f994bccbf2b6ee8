"""Departures of the log probabilities of chat, whole and streamed."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import edit_both, edit_events, edit_json, refused
from wireproof.standin.wire import Answer, Ask, Serve

CHAT = "/v1/chat/completions"

Entry = dict[str, Any]


def _lists(ask: Ask, serve: Serve, edit: Callable[[list[Entry]], Any]) -> Answer:
    """The answer after `edit(entries)` of each list of entries, changed in place; streamed or not."""

    def each(body: dict[str, Any]) -> None:
        for choice in body.get("choices", []):
            content = (choice.get("logprobs") or {}).get("content")
            if content:
                edit(content)

    answer = serve(ask)
    return edit_both(answer, each) if ask.path == CHAT and ask.method == "POST" else answer


def _entries(ask: Ask, serve: Serve, edit: Callable[[Entry], Any]) -> Answer:
    return _lists(ask, serve, lambda entries: [edit(entry) for entry in entries])


def _without_logprobs(body: dict[str, Any]) -> None:
    for choice in body.get("choices", []):
        choice["logprobs"] = None


def _wants_both(ask: Ask) -> bool:
    return bool(ask.asked.get("logprobs")) and ask.path == CHAT


@fault("chat.logprobs.ignored", breaks="chat.logprobs.present")
def ignored(ask: Ask, serve: Serve) -> Answer:
    """`logprobs` has no effect on answers in one piece."""
    return edit_json(serve(ask), _without_logprobs) if _wants_both(ask) else serve(ask)


@fault("chat.logprobs.not-streamed", breaks="chat.logprobs.streamed")
def not_streamed(ask: Ask, serve: Serve) -> Answer:
    """Chunks have no log probabilities."""
    return edit_both(serve(ask), _without_logprobs) if _wants_both(ask) and ask.streamed else serve(ask)


@fault("chat.logprobs.two-of-three", breaks="chat.logprobs.top-number")
def two_of_three(ask: Ask, serve: Serve) -> Answer:
    """One candidate less than was asked for, everywhere."""
    return _entries(ask, serve, lambda entry: entry.update(top_logprobs=entry["top_logprobs"][:-1]))


@fault("chat.logprobs.at-the-end", breaks="chat.logprobs.along")
def at_the_end(ask: Ask, serve: Serve) -> Answer:
    """The log probabilities of a stream come all at once, with the finish."""
    held: list[Entry] = []

    def edit(event: dict[str, Any]) -> None:
        for choice in event.get("choices", []):
            held.extend((choice.get("logprobs") or {}).get("content") or [])
            choice["logprobs"] = {"content": list(held), "refusal": None} if choice.get("finish_reason") else None

    answer = serve(ask)
    return edit_events(answer, edit) if _wants_both(ask) and ask.streamed else answer


@fault("chat.logprobs.always", breaks="chat.logprobs.unasked")
def always(ask: Ask, serve: Serve) -> Answer:
    """Log probabilities come whether asked for or not."""
    if ask.path != CHAT or any(ask.asked.get(name) for name in ("stream", "tools", "store", "top_logprobs")):
        return serve(ask)
    return serve(ask.changed(logprobs=True))


@fault("chat.logprobs.bytes-missing", breaks="chat.logprobs.entry", also=("chat.stream.schema",))
def bytes_missing(ask: Ask, serve: Serve) -> Answer:
    """Entries have no `bytes`."""
    return _entries(ask, serve, lambda entry: entry.pop("bytes"))


@fault("chat.logprobs.bytes-hexadecimal", breaks="chat.logprobs.entry")
def bytes_hexadecimal(ask: Ask, serve: Serve) -> Answer:
    """`bytes` of a plain answer are hexadecimal text."""
    if ask.streamed:
        return serve(ask)
    return _entries(ask, serve, lambda entry: entry.update(bytes=entry["token"].encode().hex()))


@fault("chat.logprobs.top-object", breaks="chat.logprobs.entry", also=("chat.logprobs.top", "chat.stream.schema"))
def top_object(ask: Ask, serve: Serve) -> Answer:
    """`top_logprobs` is an object of tokens, as in legacy completions."""

    def edit(entry: Entry) -> None:
        entry["top_logprobs"] = {one["token"]: one["logprob"] for one in entry["top_logprobs"]}

    return _entries(ask, serve, edit)


@fault("chat.logprobs.probabilities", breaks="chat.logprobs.negative")
def probabilities(ask: Ask, serve: Serve) -> Answer:
    """`logprob` is the probability itself, between 0 and 1."""

    def edit(entry: Entry) -> None:
        for one in (entry, *entry["top_logprobs"]):
            one["logprob"] = math.exp(one["logprob"])

    return _entries(ask, serve, edit)


@fault("chat.logprobs.bytes-of-text", breaks="chat.logprobs.bytes", also=("chat.logprobs.text",))
def bytes_of_text(ask: Ask, serve: Serve) -> Answer:
    """`bytes` are those of the token without the space before it."""
    return _entries(ask, serve, lambda entry: entry.update(bytes=list(entry["token"].strip().encode())))


@fault("chat.logprobs.bytes-of-the-last", breaks="chat.logprobs.bytes")
def bytes_of_the_last(ask: Ask, serve: Serve) -> Answer:
    """The last candidate of a token has the `bytes` of the chosen one."""

    def edit(entry: Entry) -> None:
        entry["top_logprobs"][-1]["bytes"] = entry["bytes"]

    return _entries(ask, serve, edit) if _wants_both(ask) else serve(ask)


@fault("chat.logprobs.first-missing", breaks="chat.logprobs.text")
def first_missing(ask: Ask, serve: Serve) -> Answer:
    """Entries begin with the second token."""
    return serve(ask) if ask.streamed else _lists(ask, serve, lambda entries: entries.pop(0))


@fault("chat.logprobs.one-only", breaks="chat.logprobs.count")
def one_only(ask: Ask, serve: Serve) -> Answer:
    """There is one entry for the whole text."""

    def edit(entries: list[Entry]) -> None:
        text = "".join(entry["token"] for entry in entries)
        entries[:] = [{**entries[0], "token": text, "bytes": list(text.encode())}]
        entries[0]["top_logprobs"][0].update(token=text, bytes=list(text.encode()))

    return serve(ask) if ask.streamed else _lists(ask, serve, edit)


@fault("chat.logprobs.top-ignored", breaks="chat.logprobs.top")
def top_ignored(ask: Ask, serve: Serve) -> Answer:
    """`top_logprobs` has no effect: there are no candidates."""
    return _entries(ask, serve, lambda entry: entry.update(top_logprobs=[]))


@fault("chat.logprobs.top-too-many", breaks="chat.logprobs.top")
def top_too_many(ask: Ask, serve: Serve) -> Answer:
    """More candidates than were asked for."""
    most = ask.asked.get("top_logprobs")
    return serve(ask.changed(top_logprobs=most + 2)) if _wants_both(ask) and isinstance(most, int) else serve(ask)


@fault("chat.logprobs.top-ascending", breaks="chat.logprobs.top-sorted")
def top_ascending(ask: Ask, serve: Serve) -> Answer:
    """The candidates come in reverse, the least likely first."""
    return _entries(ask, serve, lambda entry: entry["top_logprobs"].reverse())


@fault("chat.logprobs.top-without-chosen", breaks="chat.logprobs.top-likeliest")
def top_without_chosen(ask: Ask, serve: Serve) -> Answer:
    """The candidates are the alternatives to the chosen token, which is likelier than they are."""
    last = {"token": " last", "bytes": list(b" last"), "logprob": -30.0}
    return _entries(ask, serve, lambda entry: entry.update(top_logprobs=[*entry["top_logprobs"][1:], last]))


@fault("chat.logprobs.top-other-scale", breaks="chat.logprobs.top-agrees")
def top_other_scale(ask: Ask, serve: Serve) -> Answer:
    """Candidates have decadic logarithms, the chosen token natural ones."""

    def edit(entry: Entry) -> None:
        entry["logprob"] *= math.log(10)
        entry["logprob"] -= 0.1

    return _entries(ask, serve, edit)


@fault("chat.logprobs.sum-over-one", breaks="chat.logprobs.sum")
def sum_over_one(ask: Ask, serve: Serve) -> Answer:
    """All candidates of a token are as likely as the first."""

    def edit(entry: Entry) -> None:
        for one in entry["top_logprobs"]:
            one["logprob"] = entry["logprob"]

    return _entries(ask, serve, edit)


@fault("chat.logprobs.refused", breaks="chat.logprobs.accepts")
def top_logprobs_refused(ask: Ask, serve: Serve) -> Answer:
    """`top_logprobs` is an unknown parameter."""
    answer = serve(ask)
    return refused(answer, "Extra inputs: top_logprobs", param="top_logprobs") if _wants_both(ask) else answer
