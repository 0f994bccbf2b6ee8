"""What is sent to find out: single requests, forms, flows of several, and talks on a socket.

Model and key are not known yet: placeholders stand for them, which the plan fills in.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from wireproof.exchange import Exchange

# Placeholders in probes; the plan fills in the names that the user gave.
MODEL = "$chat-model"
EMBEDDING_MODEL = "$embedding-model"
COMPLETION_MODEL = "$completion-model"
IMAGE_MODEL = "$image-model"
SPEECH_MODEL = "$speech-model"
TRANSCRIPTION_MODEL = "$transcription-model"
MODERATION_MODEL = "$moderation-model"
REALTIME_MODEL = "$realtime-model"
# For probes that speak to no model at all: files, lists.
NO_MODEL = ""


# Which key a request goes with.
Auth = Literal["key", "none", "wrong", "cut", "extended", "protocol"]


@dataclass(frozen=True, slots=True)
class Say:
    """What a client says on a socket, and until it has heard what.

    `event` is JSON to be, text or bytes to be said as they are, or None to say nothing. Then it listens until a message
    whose `type` is one of `until` has come, at most `within_s`; with no `until`, as long as that.
    """

    event: Any = None
    until: tuple[str, ...] = ()
    within_s: float = 15.0


# Yields what to say, is sent what was heard since: the JSON objects in their order.
Talk = Generator[Say, list[dict[str, Any]], None]


@dataclass(frozen=True)
class Call:
    """A request before model and key are known. `body` is JSON to be, or bytes to be sent as they are.

    `path` may be a URL that an answer named: it is asked without a key, on the target's host or a public one over
    https, and only clauses that name its probe see what comes back.
    auth: "key" the user's · "none" no header · "wrong" a made-up key · "cut" and "extended" the user's key
    with one character less or more · "protocol" the user's, as the subprotocol that `key_protocol` begins. `after_s`:
    how long a flow waits before it asks, where the target needs time.

    With `talk` it asks for a WebSocket, naming `protocols`, and says that on it; `weighs` are the tokens of prompt and
    answer that this takes at most.
    """

    method: str
    path: str
    body: Any = None
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    auth: Auth = "key"
    after_s: float = 0.0
    talk: Callable[[], Talk] | None = field(default=None, repr=False)
    protocols: tuple[str, ...] = ()
    key_protocol: str = ""
    weighs: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class File:
    """A file of a form."""

    name: str
    data: bytes = field(repr=False)
    media_type: str = "application/octet-stream"


# Yields what to send, is sent what came back; returns when it has nothing more to ask.
Flow = Generator[Call, Exchange, None]


@dataclass(frozen=True)
class Probe:
    """A planned request, or a flow of at most `most` requests.

    `paid` are those that make a model speak: how many like the first, or which, with all that the model then reads.

    expects: "answer" when the request is one every backend documents and should serve · "refusal" when it is
    wrong on purpose · "either". `needs` names the placeholder of the model it speaks to, NO_MODEL when to none.
    `ran_out` tells an answer that used up its cap before there was anything to see, as models do that think: the probe
    is then asked again with a larger one.
    """

    id: str
    about: str
    run: Callable[[], Flow] = field(repr=False)
    first: Call
    expects: Literal["answer", "refusal", "either"] = "answer"
    most: int = 1
    needs: str = MODEL
    area: str = ""
    ran_out: Callable[[Exchange], bool] | None = field(default=None, repr=False)
    paid: int | tuple[Call, ...] = 1


def probe(
    id: str,
    method: str,
    path: str,
    body: Any = None,
    *,
    about: str,
    expects: Literal["answer", "refusal", "either"] = "answer",
    needs: str = MODEL,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    auth: Auth = "key",
    ran_out: Callable[[Exchange], bool] | None = None,
) -> Probe:
    """One request. `body`: JSON with placeholders, or bytes; `about`: what it is for, in a few words."""
    call = Call(method, path, body, query or {}, headers or {}, auth)

    def run() -> Flow:
        yield call

    return Probe(id, about, run, call, expects, needs=needs, ran_out=ran_out)


BOUNDARY = "wireproof-boundary-7f3a9c"


def form(path: str, fields: Iterable[tuple[str, str | File]]) -> Call:
    """A POST of `multipart/form-data`. A field is text, or a `File`; the same fields always give the same bytes."""
    lines: list[bytes] = []
    for name, value in fields:
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"'
        if isinstance(value, File):
            head += f'; filename="{value.name}"\r\nContent-Type: {value.media_type}'
        data = value.data if isinstance(value, File) else value.encode()
        lines += [f"{head}\r\n\r\n".encode(), data, b"\r\n"]
    body = b"".join([*lines, f"--{BOUNDARY}--\r\n".encode()])
    return Call("POST", path, body, headers={"content-type": f"multipart/form-data; boundary={BOUNDARY}"})


def flow(
    id: str,
    *,
    most: int,
    about: str,
    needs: str = MODEL,
    expects: Literal["answer", "either"] = "answer",
    paid: int | tuple[Call, ...] = 1,
) -> Callable[[Callable[[], Flow]], Probe]:
    """Turns a generator function into a probe of several requests, each chosen after the answer before.

    `most` bounds them for plan and budget, and `paid` says what makes a model speak; the recorder stops a flow that
    asks for more.
    """

    def make(run: Callable[[], Flow]) -> Probe:
        return Probe(id, about, run, next(run()), expects, most, needs, paid=paid)

    return make


def talk(
    id: str,
    path: str,
    *,
    about: str,
    needs: str = MODEL,
    expects: Literal["answer", "refusal", "either"] = "answer",
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    auth: Auth = "key",
    protocols: tuple[str, ...] = (),
    key_protocol: str = "",
    weighs: tuple[int, int] = (0, 0),
) -> Callable[[Callable[[], Talk]], Probe]:
    """Turns a generator function into a probe that opens one WebSocket and says what it yields."""

    def make(run: Callable[[], Talk]) -> Probe:
        call = Call("GET", path, None, query or {}, headers or {}, auth, 0.0, run, protocols, key_protocol, weighs)

        def asked() -> Flow:
            yield call

        return Probe(id, about, asked, call, expects, needs=needs)

    return make
