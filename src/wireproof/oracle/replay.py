"""Recorded answers played back to the official Python SDK.

Which of its methods sends an operation is read from its source (`spec_coverage`), how it reads the answer is its
own business: a call needs arguments, but not those that were recorded, so it gets the ones that shape the answer
and a placeholder for each that it demands.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from operator import attrgetter
from typing import Any

import httpx2

from wireproof.clause import Exchange, Undecodable
from wireproof.oracle import WANTING, NoSdk
from wireproof.oracle.asking import arguments, fields_of, methods_of
from wireproof.spec import Spec
from wireproof.spec_coverage import installed_sdk, version_of

TAGS = (("type",), ("object",), ("role",))
NOWHERE = "http://recorded.invalid/v1"
BARE_KEY = "sk-recorded"


@dataclass(frozen=True, slots=True)
class Raised:
    """An exception of the SDK. `is_told`: it passes on an error that the answer tells of, or it has read no answer."""

    at: str
    said: str
    is_told: bool = False


@dataclass(frozen=True)
class Reading:
    """What a lenient client made of an answer: `told` are pairs of its view and ours, `final` the whole of it."""

    final: Any = None
    told: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    raised: Raised | None = None


class Recorded(httpx2.BaseTransport):
    """Answers every request with the exchange that is put in."""

    def __init__(self) -> None:
        self.exchange: Exchange | None = None
        self.is_read = False

    def put_in(self, exchange: Exchange) -> None:
        self.exchange, self.is_read = exchange, False

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        exchange = self.exchange
        assert exchange is not None and exchange.status is not None
        self.is_read = True
        return httpx2.Response(exchange.status, headers=list(exchange.headers), stream=_Chunks(exchange))


class _Chunks(httpx2.SyncByteStream):
    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange

    def __iter__(self) -> Iterator[bytes]:
        return iter([chunk.data for chunk in self.exchange.chunks])


class Replay:
    """The SDK with a transport of ours below it, lenient and strict. Raises NoSdk when it is not installed."""

    def __init__(self, spec: Spec) -> None:
        package = installed_sdk()
        if package is None:
            raise NoSdk(WANTING)
        import openai

        self.name = f"openai {version_of(package)} for Python"
        self.sdk, self.spec = openai, spec
        self.ways = spec.catalogue("sdk")
        self.refusals: Mapping[str, str] = self.ways["errors"]
        self.transport = Recorded()
        self.lenient, self.strict_client = (self._client(strict=strict) for strict in (False, True))
        self.methods = methods_of(package)

    def _client(self, *, strict: bool) -> Any:
        return self.sdk.OpenAI(
            base_url=NOWHERE,
            api_key=BARE_KEY,
            max_retries=0,
            http_client=httpx2.Client(transport=self.transport),
            _strict_response_validation=strict,
        )

    def reads(self, exchange: Exchange) -> bool:
        """Whether the SDK has a method for the operation, or the answer is a refusal: those it reads all alike."""
        return (exchange.status or 0) >= 400 or exchange.operation in self.methods

    def refusal(self, exchange: Exchange) -> dict[str, Any]:
        """The exception that the SDK makes of it, field by field, and the headers a client looks for."""
        self.transport.put_in(exchange)
        try:
            self.lenient.post("/", cast_to=object, body={})
        except self.sdk.APIStatusError as error:
            fields = {name: getattr(error, name, None) for name in ("type", "code", "param")}
            fields["class"] = type(error).__name__
            fields["message"] = error.body.get("message") if isinstance(error.body, dict) else None
            globs = self.ways["headers"]
            read = {name.lower(): value for name, value in error.response.headers.items()}
            return fields | {name: read[name] for name in read if any(fnmatchcase(name, glob) for glob in globs)}
        except Exception as error:  # the SDK is foreign code, and what it reads is anything
            return {"class": type(error).__name__, "message": str(error)}
        return {"class": "no exception"}

    def reading(self, exchange: Exchange) -> Reading:
        """The answer as a client without strict validation reads it, to the end of a stream."""
        self.transport.put_in(exchange)
        try:
            result = self._call(self.lenient, exchange)
            if isinstance(result, self.sdk.Stream):
                count = sum(1 for _ in result)
                return Reading(self._joined(exchange), {"events": (count, events_seen(exchange))})
            return Reading(*_read(result, exchange))
        except Exception as error:  # the SDK is foreign code, and what it reads is anything
            return Reading(raised=self._raised(error, exchange))

    def strict(self, exchange: Exchange) -> list[Raised]:
        """What a client with strict validation raises: nothing, or one exception with all its reasons."""
        self.transport.put_in(exchange)
        try:
            result = self._call(self.strict_client, exchange)
            if isinstance(result, self.sdk.Stream):
                for _ in result:
                    pass
        except self.sdk.APIResponseValidationError as error:
            return _reasons(error)
        except Exception as error:  # as above
            return [self._raised(error, exchange)]
        return []

    def _call(self, client: Any, exchange: Exchange) -> Any:
        function: Callable[..., Any] = attrgetter(self.methods[exchange.operation or ""])(client)
        asked = fields_of(exchange)
        given = {key: asked[key] for key in self.ways["shaping"] if key in asked}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of an API that is still to be judged
            return function(**arguments(function, given))

    def _joined(self, exchange: Exchange) -> Any:
        """What the SDK's own helper makes of a stream; None when it has none for it, or the stream did not complete."""
        way = self.ways["accumulators"].get(exchange.operation)
        if way is None:
            return None
        self.transport.put_in(exchange)
        joining = attrgetter(way["call"])(self.lenient)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # as in `_call`
            manager = joining(**arguments(joining, {}), **way.get("given", {}))
        with manager as stream:
            for event in stream:
                del event
            try:
                whole = getattr(stream, way["final"])
                return _plain(whole() if callable(whole) else whole)
            except RuntimeError:  # of a stream that ended otherwise than by its completing event
                return None

    def _raised(self, error: Exception, exchange: Exchange) -> Raised:
        is_told = not self.transport.is_read or (type(error) is self.sdk.APIError and tells_of_error(exchange))
        return Raised("", f"{type(error).__name__}: {' '.join(str(error).split())}"[:300], is_told)


def _plain(value: Any) -> Any:
    """An object of the SDK, or a list of them, as plain data."""
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value.to_dict(mode="json", warnings=False)


def _read(result: Any, exchange: Exchange) -> tuple[Any, dict[str, tuple[Any, Any]]]:
    """A plain answer as plain data, and what is compared of it: the whole, and the page that comes after."""
    if hasattr(result, "next_page_info"):
        info = result.next_page_info() if result.has_next_page() else None
        after = dict(info.params or {}).get("after") if info else None
        return None, {"next page after": (after, next_after(exchange))}
    if hasattr(result, "to_dict"):
        return _plain(result), {}
    if isinstance(result, str):
        return None, {"text": (result, exchange.text)}
    content = getattr(result, "content", None)
    return None, {} if content is None else {"bytes": (len(content), len(exchange.body))}


def next_after(exchange: Exchange) -> Any:
    """Where the next page begins by our reading; None when this is the last."""
    try:
        body = exchange.json
    except Undecodable:
        return None
    rows = body.get("data") if isinstance(body, dict) else None
    if not isinstance(rows, list) or not rows or body.get("has_more") is not True:
        return None
    last = rows[-1]
    return body.get("last_id") or (last.get("id") if isinstance(last, dict) else None)


def events_seen(exchange: Exchange) -> int:
    """How many events a client gets to see."""
    shown = 0
    try:
        events = exchange.events
    except Undecodable:
        return 0
    for event in events:
        if event.is_done:
            break
        shown += event.data is not None and not event.unfinished
    return shown


def tells_of_error(exchange: Exchange) -> bool:
    try:
        told = [json.loads(event.data) for event in exchange.events if event.data and "error" in event.data]
    except (ValueError, Undecodable):
        return False
    return any(isinstance(one, dict) and one.get("error") for one in told)


def _reasons(error: Any) -> list[Raised]:
    """The reasons of a strict refusal, each with its place in the answer."""
    cause = error.__cause__
    if not hasattr(cause, "errors"):
        return [Raised("", " ".join(str(error).split())[:300])]
    found: dict[str, Raised] = {}
    for one in _meant(cause.errors()):
        at = _pointer(one["loc"], error.body)
        found.setdefault(at, Raised(at, one["msg"]))
    return list(found.values())


def _meant(errors: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Without those of the other members of a union: what names another type by its tag was never meant to be it."""
    others = [one["loc"][:-1] for one in errors if one["type"] == "literal_error" and one["loc"][-1:] in TAGS]
    meant = [one for one in errors if not any(one["loc"][: len(other)] == other for other in others)]
    return meant or errors[:1]


def _pointer(place: tuple[str | int, ...], body: Any) -> str:
    """The place without the names of the types that were tried on the way."""
    parts: list[str] = []
    for part in place:
        if isinstance(body, dict) and part in body:
            body = body[part]
        elif isinstance(body, list) and isinstance(part, int):
            body = body[part] if part < len(body) else None
        elif part != place[-1]:
            continue
        parts.append(str(part))
    return "".join(f"/{part}" for part in parts)
