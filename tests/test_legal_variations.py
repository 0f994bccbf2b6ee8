"""What correct backends do differently from the stand-in: none of it may raise a finding."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from email.utils import formatdate
from typing import Any

import pytest
from certified import NOON, Certified, certified

from wireproof.standin.backend import DEFAULT_KEY
from wireproof.standin.faults.edit import edit_both, edit_error, edit_events, edit_frames, edit_json
from wireproof.standin.wire import DONE, Answer, Ask, Frame, Serve, event_frame, event_of

Vary = Callable[[Answer], Answer]
Edit = Callable[[dict[str, Any]], Any]


def each_frame(change: Callable[[bytes], bytes]) -> Vary:
    return lambda answer: edit_frames(answer, lambda frames: iter([replace(f, data=change(f.data)) for f in frames]))


def each_choice(change: Edit) -> Vary:
    """`change` on every choice of a chat or completion, plain or streamed."""

    def edit(value: dict[str, Any]) -> None:
        for choice in value.get("choices", ()):
            change(choice)

    return lambda answer: edit_both(answer, edit)


def each_delta(change: Edit) -> Vary:
    def edit(event: dict[str, Any]) -> None:
        for choice in event.get("choices", ()):
            if "delta" in choice:
                change(choice["delta"])

    return lambda answer: edit_events(answer, edit)


def each_message(change: Edit) -> Vary:
    def edit(value: dict[str, Any]) -> None:
        for choice in value.get("choices", ()):
            if "message" in choice:
                change(choice["message"])

    return lambda answer: edit_json(answer, edit)


def dropped(*keys: str) -> Edit:
    def edit(value: dict[str, Any]) -> None:
        for key in keys:
            value.pop(key, None)

    return edit


def with_more(value: dict[str, Any]) -> None:
    value["x_vendor"] = {"region": "eu", "nested": [1, None]}


def extra_everywhere(value: dict[str, Any]) -> None:
    for part in (value, value.get("usage"), *value.get("choices", ()), *_list(value.get("data"))):
        if isinstance(part, dict):
            with_more(part)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def without_header(*names: str) -> Vary:
    return lambda answer: answer.without_header(*names)


def without_usage_details(value: dict[str, Any]) -> None:
    if isinstance(value.get("usage"), dict):
        dropped("prompt_tokens_details", "completion_tokens_details")(value["usage"])


def no_null_usage(value: dict[str, Any]) -> None:
    if value.get("usage", 1) is None:
        del value["usage"]


def other_ids(value: dict[str, Any]) -> None:
    """Ids as other vendors make them; the same one all through a stream."""
    if isinstance(value.get("id"), str) and value.get("object", "").startswith(("chat.completion", "text_completion")):
        value["id"] = f"0f2c-{value['id'].partition('-')[2]}"


def pretty(answer: Answer) -> Answer:
    if answer.is_stream or not answer.body:
        return answer
    return replace(answer, body=b"\n" + json.dumps(json.loads(answer.body), indent=2).encode() + b"\n")


def escaped(answer: Answer) -> Answer:
    """Every character above ASCII escaped, in streams too."""
    if not answer.is_stream:
        return replace(answer, body=json.dumps(json.loads(answer.body)).encode()) if answer.body else answer
    return edit_frames(
        answer,
        lambda frames: (
            Frame(f.delay_ms, f.data[: f.data.find(b"data: ")] + b"data: " + json.dumps(event).encode() + b"\n\n")
            if (event := event_of(f))
            else f
            for f in frames
        ),
    )


def role_with_first_content(answer: Answer) -> Answer:
    """Many engines put the role beside the first content, not before it."""

    def merge(frames: list[Frame]) -> Iterator[Frame]:
        roles: dict[int, dict[str, Any]] = {}
        for frame in frames:
            event = event_of(frame)
            choices = (event or {}).get("choices") or []
            if event is None or not choices or "delta" not in choices[0]:
                yield frame
                continue
            [choice] = choices
            if "role" in choice["delta"] and choice["finish_reason"] is None and "tool_calls" not in choice["delta"]:
                roles[choice["index"]] = choice["delta"]
                continue
            choice["delta"] = {**roles.pop(choice["index"], {}), **choice["delta"]}
            yield event_frame(event, frame.delay_ms)

    return edit_frames(answer, merge)


def pings(answer: Answer) -> Answer:
    def mixed(frames: list[Frame]) -> Iterator[Frame]:
        for frame in frames:
            yield Frame(0, b": ping\n\n")
            yield frame

    return edit_frames(answer, mixed)


def one_byte_a_write(answer: Answer) -> Answer:
    return edit_frames(
        answer,
        lambda frames: (
            Frame(f.delay_ms if i == 0 else 0, f.data[i : i + 1]) for f in frames for i in range(len(f.data))
        ),
    )


def two_events_a_write(answer: Answer) -> Answer:
    def paired(frames: list[Frame]) -> Iterator[Frame]:
        for first, *second in (frames[i : i + 2] for i in range(0, len(frames), 2)):
            yield Frame(first.delay_ms + sum(f.delay_ms for f in second), first.data + b"".join(f.data for f in second))

    return edit_frames(answer, paired)


def choices_reversed(value: dict[str, Any]) -> None:
    if "choices" in value:
        value["choices"].reverse()


def vectors_reversed(value: dict[str, Any]) -> None:
    """A batch out of order, each vector with the index of its input."""
    if _list(value.get("data")) and "embedding" in value["data"][0]:
        value["data"].reverse()


def model_resolved(value: dict[str, Any]) -> None:
    """The model as a gateway names what it resolved the asked one to."""
    if isinstance(value.get("model"), str) and "choices" in value:
        value["model"] = f"vendor.{value['model']}-fp8"


def vendor_error(body: dict[str, Any]) -> None:
    body["status"] = 401
    body["error"]["request"] = "internal-7"


def null_beside_calls(message: dict[str, Any]) -> None:
    message.setdefault("tool_calls", None)
    message.setdefault("function_call", None)
    message["annotations"] = []


def compressed(answer: Answer) -> Answer:
    if answer.is_stream or not answer.body:
        return answer
    return replace(answer, body=gzip.compress(answer.body, mtime=0)).with_header("content-encoding", "gzip")


def with_links(body: dict[str, Any]) -> None:
    body["error"]["message"] += " See https://host.example/docs/errors.js?of=/a/b.py (POST /v1/chat/completions)."


def done_late(answer: Answer) -> Answer:
    """A filter looks at the whole answer before it is told to be complete."""
    return edit_frames(answer, lambda frames: (replace(f, delay_ms=3_000.0) if f.data == DONE else f for f in frames))


CDN: tuple[tuple[str, str], ...] = (
    ("via", "1.1 a, 1.1 b"),
    ("vary", "origin"),
    ("vary", "accept-encoding"),
    ("set-cookie", "a=1"),
    ("set-cookie", "b=2"),
    ("access-control-allow-origin", "*"),
    ("access-control-expose-headers", "x-request-id, openai-version"),
    ("apim-request-id", "7"),
    ("ratelimit", '"default";r=50;t=30'),
)

VARIATIONS: dict[str, Vary] = {
    "a body that is compressed whole": compressed,
    "headers of a CDN, some of them twice": lambda answer: answer.with_headers(CDN),
    "names of headers in capitals": lambda answer: replace(
        answer, headers=tuple((name.upper(), value) for name, value in answer.headers)
    ),
    "a clock ten minutes ahead": lambda answer: answer.with_header("date", formatdate(NOON + 600, usegmt=True)),
    "a processing time of nothing": lambda answer: answer.with_header("openai-processing-ms", "0"),
    "x-should-retry false on every refusal": lambda answer: (
        answer.with_header("x-should-retry", "false") if answer.status >= 400 else answer
    ),
    "links in messages": lambda answer: edit_error(answer, with_links),
    "[DONE] three seconds after the last word": done_late,
    "lines end in CRLF": each_frame(lambda data: data.replace(b"\n", b"\r\n")),
    "lines end in CR": each_frame(lambda data: data.replace(b"\n", b"\r")),
    "no space after data:": each_frame(lambda data: data.replace(b"data: ", b"data:")),
    "comments between events": pings,
    "ids and retry beside data": each_frame(lambda data: b"id: 7\nretry: 3000\n" + data),
    "one byte a write": one_byte_a_write,
    "two events a write": two_events_a_write,
    "a media type without charset": lambda a: a.with_header("content-type", "text/event-stream") if a.is_stream else a,
    "a media type with charset": lambda a: (
        a if a.is_stream or not a.body else a.with_header("content-type", "application/json; charset=utf-8")
    ),
    "JSON with white space": pretty,
    "JSON in ASCII": escaped,
    "unknown keys everywhere": lambda answer: edit_both(answer, extra_everywhere),
    "no system_fingerprint": lambda answer: edit_both(answer, dropped("system_fingerprint")),
    "system_fingerprint null": lambda answer: edit_both(
        answer, lambda v: v.update(system_fingerprint=None) if "choices" in v else None
    ),
    "no service_tier": lambda answer: edit_both(answer, dropped("service_tier")),
    "no logprobs where there are none": each_choice(
        lambda choice: choice.pop("logprobs", None) if choice.get("logprobs") is None else None
    ),
    "no refusal": each_message(dropped("refusal", "annotations")),
    "tool_calls and function_call null": each_message(null_beside_calls),
    "no usage details": lambda answer: edit_both(answer, without_usage_details),
    "no usage key but in the last chunk": lambda answer: edit_events(answer, no_null_usage),
    "ids of another shape": lambda answer: edit_both(answer, other_ids),
    "role beside the first content": role_with_first_content,
    "role with content null": each_delta(lambda d: d.update(content=None) if d.get("content") == "" else None),
    "role without content": each_delta(lambda d: d.pop("content") if d.get("content") == "" else None),
    "a reasoning field of a vendor": each_delta(lambda d: d.update(reasoning_content=None)),
    "choices in any order": lambda answer: edit_json(answer, choices_reversed),
    "vectors in any order": lambda answer: edit_json(answer, vectors_reversed),
    "model names resolved": lambda answer: edit_both(answer, model_resolved),
    "more keys in errors": lambda answer: edit_error(answer, vendor_error),
    "no rate-limit headers": without_header(
        *(f"x-ratelimit-{what}-{kind}" for what in ("limit", "remaining", "reset") for kind in ("requests", "tokens"))
    ),
    "no OpenAI headers": without_header("openai-processing-ms", "openai-version", "openai-organization"),
    "a request id of another shape": lambda a: a.with_header("x-request-id", (a.header("x-request-id") or "")[4:]),
    "X-Request-ID in capitals": lambda a: a.without_header("x-request-id").with_header(
        "X-Request-ID", a.header("x-request-id") or ""
    ),
    "a comment before the first event": lambda answer: edit_frames(
        answer, lambda frames: iter([Frame(0, b": OPENROUTER PROCESSING\n\n"), *frames])
    ),
    "keep-alive told in headers": lambda answer: answer.with_header("connection", "keep-alive").with_header(
        "keep-alive", "timeout=5"
    ),
    "no delays at all": lambda answer: edit_frames(answer, lambda frames: (replace(f, delay_ms=0.01) for f in frames)),
    "nothing after [DONE] but a comment": lambda answer: edit_frames(
        answer, lambda frames: iter([*frames, Frame(0, b": bye\n\n")])
    ),
}


def is_told(answer: Answer) -> bool:
    """Whether an answer is JSON or events. Sounds and captions vary otherwise: tests/test_legal_media.py."""
    return (answer.header("content-type") or "").startswith(("application/json", "text/event-stream"))


def counted(run: Certified) -> dict[str, Any]:
    """The findings. What a MAY clause has to say of a legal variation is a note."""
    return {
        id: verdict.findings
        for id, verdict in run.verdicts.items()
        if verdict.findings and verdict.clause.level != "MAY"
    }


@pytest.mark.parametrize("name", VARIATIONS)
def test_a_legal_variation_raises_no_finding(name: str) -> None:
    def vary(ask: Ask, serve: Serve) -> Answer:
        answer = serve(ask)
        return VARIATIONS[name](answer) if is_told(answer) else answer

    assert counted(certified(vary=vary)) == {}


def short_in_one_delta(ask: Ask, serve: Serve) -> Answer:
    """A short answer whole in one delta; a long one token by token."""

    def joined(frames: list[Frame]) -> Iterator[Frame]:
        if len(frames) > 16:
            yield from frames
            return
        texts: dict[int, list[str]] = {}
        for frame in frames:
            event = event_of(frame)
            for choice in (event or {}).get("choices", ()):
                delta = choice.get("delta", {})
                if delta.get("content") and choice.get("logprobs") is None:
                    texts.setdefault(choice["index"], []).append(delta["content"])
        for frame in frames:
            event = event_of(frame)
            choice = ((event or {}).get("choices") or [{}])[0]
            delta = choice.get("delta", {})
            if event is None or not delta.get("content") or choice.get("logprobs") is not None:
                yield frame
            elif choice["index"] in texts:
                delta["content"] = "".join(texts.pop(choice["index"]))
                yield event_frame(event, frame.delay_ms)

    return edit_frames(serve(ask), joined)


def usage_in_its_own_time(ask: Ask, serve: Serve) -> Answer:
    """The usage chunk and [DONE] come in one write with the finish."""

    def packed(frames: list[Frame]) -> Iterator[Frame]:
        yield from frames[:-3]
        yield Frame(frames[-3].delay_ms, b"".join(frame.data for frame in frames[-3:]))

    answer = serve(ask)
    return (
        edit_frames(answer, packed)
        if answer.is_stream and DONE in b"".join(f.data for f in answer.frames or ())
        else answer
    )


@pytest.mark.parametrize("vary", [short_in_one_delta, usage_in_its_own_time], ids=lambda vary: vary.__doc__)
def test_a_legal_way_to_stream_raises_no_finding(vary: Callable[[Ask, Serve], Answer]) -> None:
    assert certified(vary=vary).failing == set()


OTHERS = ("/v1/chat/", "/v1/completions", "/v1/responses")


def no_chat(ask: Ask, serve: Serve) -> Answer:
    """Embeddings alone are served: every other path that generates is unknown."""
    return serve(replace(ask, path="/v1/nowhere") if ask.path.startswith(OTHERS) else ask)


def no_chat_whoever_asks(ask: Ask, serve: Serve) -> Answer:
    """The same, and what is unknown is so with and without a key."""
    known = tuple(header for header in ask.headers if header[0] != "authorization")
    keyed = replace(ask, headers=(*known, ("authorization", f"Bearer {DEFAULT_KEY}")))
    return no_chat(keyed if ask.path.startswith(OTHERS) else ask, serve)


@pytest.mark.parametrize("vary", [no_chat, no_chat_whoever_asks], ids=lambda vary: vary.__doc__)
def test_a_server_of_embeddings_alone_raises_no_finding(vary: Callable[[Ask, Serve], Answer]) -> None:
    assert certified(vary=vary).failing == set()
