"""What the API calls its customers about, as described, and the signature rules as the SDK keeps them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from openai.resources.webhooks import Webhooks
from openai.types import webhooks as sdk

from wireproof.spec import load_spec

SPEC = load_spec()
WEBHOOKS: dict[str, Any] = SPEC.document["webhooks"]
NEWS: dict[str, Any] = {
    "id": "evt_1",
    "object": "event",
    "created_at": 1760000000,
    "type": "batch.completed",
    "data": {"id": "batch_1"},
}
CALL: dict[str, Any] = {**NEWS, "type": "realtime.call.incoming", "data": {"call_id": "rtc_1", "sip_headers": []}}
AGENT: dict[str, Any] = {**NEWS, "type": "agent.session.idle", "data": {"id": "as_1", "environment_type": "cloud"}}


def body_of(type: str) -> str:
    ref: str = WEBHOOKS[type]["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    return ref


def sdk_types() -> Iterator[str]:
    for event in get_args(get_args(sdk.UnwrapWebhookEvent)[0]):
        yield get_args(event.model_fields["type"].annotation)[0]


def test_every_event_the_sdk_unwraps_is_described() -> None:
    assert set(sdk_types()) | {"safety_identifier.blocked"} == set(WEBHOOKS)


@pytest.mark.parametrize("type", WEBHOOKS)
def test_the_body_of_a_webhook_can_be_of_its_type(type: str) -> None:
    named = SPEC.resolved({"$ref": body_of(type)})["properties"]["type"]
    assert type in (named.get("enum") or [named["const"]])


@pytest.mark.parametrize("type", WEBHOOKS)
def test_every_webhook_is_signed_and_says_where_that_is_from(type: str) -> None:
    call = WEBHOOKS[type]["post"]
    assert call["summary"]
    assert {*call["x-source"], *call["x-signature"]["x-source"]} <= set(SPEC.catalogue("sources")["sources"])
    named = [SPEC.resolved(parameter)["name"] for parameter in call["parameters"]]
    assert named == ["webhook-id", "webhook-timestamp", "webhook-signature"]


def test_the_tolerance_is_that_of_the_sdk() -> None:
    said = inspect.signature(Webhooks.verify_signature).parameters["tolerance"].default
    assert said == WEBHOOKS["batch.completed"]["post"]["x-signature"]["tolerance_s"]


@pytest.mark.parametrize(
    "news",
    [
        NEWS,
        {key: value for key, value in NEWS.items() if key != "object"},
        CALL,
        {**CALL, "data": {**CALL["data"], "sip_media_security": "srtp", "sip_headers": [{"name": "To", "value": "x"}]}},
        AGENT,
    ],
)
def test_a_legal_call_is_taken(news: dict[str, Any]) -> None:
    assert [str(violation) for violation in SPEC.schema(body_of(news["type"])).violations(news)] == []


@pytest.mark.parametrize(
    ("news", "breach"),
    [
        (NEWS, {"id": ""}),
        (NEWS, {"object": "webhook"}),
        (NEWS, {"created_at": "2026-11-26"}),
        (NEWS, {"type": "batch.done"}),
        (NEWS, {"data": {}}),
        (CALL, {"data": {"call_id": "rtc_1"}}),
        (CALL, {"data": {"call_id": "rtc_1", "sip_headers": {"To": "x"}}}),
        (AGENT, {"data": {"id": "as_1"}}),
    ],
)
def test_the_nearest_breach_is_refused(news: dict[str, Any], breach: dict[str, Any]) -> None:
    assert not SPEC.schema(body_of(news["type"])).holds({**news, **breach})
