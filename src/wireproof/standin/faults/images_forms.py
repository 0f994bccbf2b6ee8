"""Departures of the form that pictures come in, and of what lies behind their URLs."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import edit_json
from wireproof.standin.media.pictures import Look, picture
from wireproof.standin.resources.links import PREFIX
from wireproof.standin.wire import Answer, Ask, Serve, refusal

PLACE = "/v1/images/"
TINY = Look(64, 64, "png")


def _each(ask: Ask, serve: Serve, edit: Callable[[dict[str, Any]], Any]) -> Answer:
    """`edit` on each entry of `data` that has a URL."""
    answer = serve(ask)
    if not ask.path.startswith(PLACE):
        return answer
    return edit_json(
        answer,
        lambda body: body | {"data": [edit(entry) or entry if entry.get("url") else entry for entry in body["data"]]},
    )


def _behind(ask: Ask, serve: Serve, change: Callable[[Answer], Answer]) -> Answer:
    """`change` on what lies behind a URL."""
    answer = serve(ask)
    return change(answer) if ask.path.startswith(PREFIX) else answer


@fault("images.url-ignored", breaks="images.form")
def url_ignored(ask: Ask, serve: Serve) -> Answer:
    """Bytes in place of a URL."""
    wants = ask.path == f"{PLACE}generations" and ask.asked.get("response_format") == "url"
    return serve(ask.changed(response_format="b64_json") if wants else ask)


@fault("images.url-and-bytes", breaks="images.one-form")
def url_and_bytes(ask: Ask, serve: Serve) -> Answer:
    """The bytes come beside the URL."""
    wants = ask.path == f"{PLACE}generations" and ask.asked.get("response_format") == "url"
    if not wants or (answer := serve(ask)).status != 200:
        return serve(ask)
    others = serve(ask.changed(response_format="b64_json")).json["data"]
    return edit_json(answer, lambda body: body | {"data": [a | b for a, b in zip(body["data"], others, strict=True)]})


@fault("images.url-relative", breaks="images.url")
def url_relative(ask: Ask, serve: Serve) -> Answer:
    """A URL without a host."""
    return _each(ask, serve, lambda entry: entry | {"url": "/" + entry["url"].split("/", 3)[3]})


@fault("images.url-of-no-host", breaks="images.url", also=("images.fetched",))
def url_of_no_host(ask: Ask, serve: Serve) -> Answer:
    """A URL with the address that the server is bound to."""
    return _each(ask, serve, lambda entry: entry | {"url": "http://0.0.0.0:8080/" + entry["url"].split("/", 3)[3]})


@fault("images.url-of-the-server", breaks="images.fetched")
def url_of_the_server(ask: Ask, serve: Serve) -> Answer:
    """A URL that leads to the machine of whoever asks."""
    return _each(ask, serve, lambda entry: entry | {"url": "http://localhost:8080/" + entry["url"].split("/", 3)[3]})


@fault("images.url-locked", breaks="images.fetched")
def url_locked(ask: Ask, serve: Serve) -> Answer:
    """What lies behind a URL is for holders of the key."""
    is_open = ask.header("authorization") is not None
    return _behind(ask, serve, lambda answer: answer if is_open else refusal(401, "You didn't provide an API key."))


@fault("images.url-of-a-page", breaks="images.fetched")
def url_of_a_page(ask: Ask, serve: Serve) -> Answer:
    """A URL leads to a page."""
    return _behind(ask, serve, lambda answer: replace(answer, body=b"<!doctype html><title>Sign in</title>"))


@fault("images.url-thumbnail", breaks="images.fetched-size")
def url_thumbnail(ask: Ask, serve: Serve) -> Answer:
    """A URL leads to a small copy."""
    return _behind(ask, serve, lambda answer: replace(answer, body=picture("a copy", TINY)))


@fault("images.url-typed-text", breaks="images.fetched-type")
def url_typed_text(ask: Ask, serve: Serve) -> Answer:
    """The picture behind a URL comes as text."""
    return _behind(ask, serve, lambda answer: answer.with_header("content-type", "text/plain"))


@fault("images.data-url-empty", breaks="images.fetched", also=("images.distinct",))
def data_url_empty(ask: Ask, serve: Serve) -> Answer:
    """A data URL that is no base64."""
    return _each(ask, serve, lambda entry: entry | {"url": f"data:image/png;base64,{base64.b64encode(b'x').decode()}="})
