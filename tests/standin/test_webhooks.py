"""What the stand-in signs, the official client verifies."""

from __future__ import annotations

import base64
import time

import openai
import pytest

from wireproof.standin.webhooks import News, sign, webhook

SECRET = "whsec_" + base64.b64encode(b"not a real key, only long enough").decode()


@pytest.fixture
def client() -> openai.OpenAI:
    return openai.OpenAI(api_key="sk-none", base_url="http://127.0.0.1:9/v1", webhook_secret=SECRET)


def told(type: str = "batch.completed", now: float | None = None, secret: str = SECRET) -> tuple[dict[str, str], bytes]:
    news = News("evt_1", 1760000000, type, {"id": "batch_1", "note": "größer"})
    return webhook(secret, news, time.time() if now is None else now)


@pytest.mark.parametrize("type", ["batch.completed", "response.failed", "fine_tuning.job.succeeded"])
def test_the_sdk_unwraps_what_we_sign(client: openai.OpenAI, type: str) -> None:
    headers, body = told(type)
    news = client.webhooks.unwrap(body, headers)
    assert (news.type, news.id, news.created_at) == (type, "evt_1", 1760000000)


def test_a_secret_without_a_prefix_is_the_key_itself(client: openai.OpenAI) -> None:
    headers, body = told(secret="plain")
    client.webhooks.verify_signature(body, headers, secret="plain")


def test_one_signature_of_several_is_enough(client: openai.OpenAI) -> None:
    headers, body = told()
    headers["webhook-signature"] = f"v1,{base64.b64encode(b'old').decode()} {headers['webhook-signature']}"
    client.webhooks.verify_signature(body, headers)


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "evt_2"},
        {"webhook-timestamp": str(int(time.time()) - 1)},
        {"webhook-signature": sign("another", "evt_1", 0, b"")},
    ],
    ids=lambda change: next(iter(change)),
)
def test_whatever_is_changed_breaks_the_signature(client: openai.OpenAI, change: dict[str, str]) -> None:
    headers, body = told()
    with pytest.raises(openai.InvalidWebhookSignatureError):
        client.webhooks.verify_signature(body, {**headers, **change})
    with pytest.raises(openai.InvalidWebhookSignatureError):
        client.webhooks.verify_signature(body + b" ", headers)


@pytest.mark.parametrize("age_s", [301, -302])
def test_a_call_out_of_its_time_is_refused(client: openai.OpenAI, age_s: int) -> None:
    headers, body = told(now=time.time() - age_s)
    with pytest.raises(openai.InvalidWebhookSignatureError):
        client.webhooks.verify_signature(body, headers)


def test_a_secret_that_is_no_base64_is_told() -> None:
    with pytest.raises(ValueError, match="base64"):
        sign("whsec_not base64", "evt_1", 0, b"")


def test_the_signature_is_known() -> None:
    """Computed once with another program (openssl dgst -hmac), so that both sides cannot be wrong together."""
    assert sign("key", "evt_1", 1760000000, b"{}") == "v1,WBYUZTjhllGvtfftH9ACU/QlB6LfE+S8tlj5aYcHL+g="
