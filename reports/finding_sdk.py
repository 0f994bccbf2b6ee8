"""<clause>.py: the request again, with the official Python SDK and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from pprint import pformat
from typing import Any

from wireproof.exhibit import Exhibit
from wireproof.oracle.asking import as_called

FILE = "finding.py"
WIDTH = 100
KEYS = {"none": "''", "wrong": "'sk-made-up'", "cut": "KEY[:-1]", "extended": "KEY + 'x'"}


def render(exhibit: Exhibit) -> str:
    if exhibit.exchange.request.is_handshake:
        return ""  # the SDK has a way of its own to talk on a socket, and hides what does not fit
    called = as_called(exhibit.exchange)
    lines = _typed(*called) if called else _plain(exhibit)
    key = KEYS.get(exhibit.call.auth, "KEY")
    return "\n".join(
        [
            f"# {exhibit.clause.level} {exhibit.clause.id}: {exhibit.clause.sentence}",
            f"# {exhibit.told}",
            "import os",
            "",
            *([] if called else ["import httpx2"]),
            "import openai",
            "",
            f"KEY = os.environ[{exhibit.key_variable!r}]",
            f"client = openai.OpenAI(base_url={exhibit.base_url!r}, api_key={key}, max_retries=0)",
            "try:",
            *(f"    {line}" for line in lines),
            "except openai.APIStatusError as refused:",
            "    answer = refused.response",
            "print(answer.status_code, dict(answer.headers))",
            "print(answer.read().decode())",
            "",
        ]
    )


def _typed(method: str, given: Mapping[str, Any], extra: Mapping[str, Any]) -> list[str]:
    """By the method of the SDK; what its signature does not have goes into the extra body."""
    resource, _, call = method.rpartition(".")
    arguments = {**given, **({"extra_body": extra} if extra else {})}
    return [f"answer = client.{resource}.with_raw_response.{call}(", *_named(arguments), ").http_response"]


def _plain(exhibit: Exhibit) -> list[str]:
    """By the SDK's own way to send what its typed methods do not let through."""
    call = exhibit.call
    given: dict[str, Any] = {"options": {"params": dict(call.query)}} if call.query else {}
    if isinstance(call.body, bytes):
        given |= {"content": call.body, "options": {**given.get("options", {}), "headers": dict(call.headers)}}
    elif call.body is not None:
        given["body"] = call.body
    return [f"answer = client.{call.method.lower()}(", f"    {call.path!r},", "    cast_to=httpx2.Response,",
            *_named(given), ")"]  # fmt: skip


def _named(arguments: Mapping[str, Any]) -> list[str]:
    told = [f"{name}={pformat(value, width=WIDTH, sort_dicts=False)}," for name, value in arguments.items()]
    return [f"    {line}" for text in told for line in text.splitlines()]
