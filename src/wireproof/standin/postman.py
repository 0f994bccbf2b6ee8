"""Calls a customer about news: one POST each, tried again until it is taken or MOST_TRIES are spent.

Only addresses of this machine are called: a stand-in with a typing error must not knock at strangers' doors.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx2

from wireproof.standin.webhooks import News, sign, webhook

# Nothing here happens by itself: somebody has to look what has fallen due, when no client asks.
LOOK_S = 0.1
TIMEOUT_S = 5.0
# Before each try. A real sender goes on for days.
WAITS_S = (0.0, 0.5, 2.0, 8.0)


@dataclass(frozen=True, slots=True)
class Address:
    """Where to call, and the secret to sign with. ValueError for an address elsewhere, or a secret that is none."""

    url: str
    secret: str

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not _is_local(parts.hostname or ""):
            raise ValueError(
                f"only addresses of this machine are called, as http://127.0.0.1:9000/hook; got {self.url}"
            )
        sign(self.secret, "", 0, b"")


def _is_local(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def deliver(address: Address, look: Callable[[], list[News]], clock: Callable[[], float]) -> None:
    """Until it is cancelled: calls about whatever `look` brings. One call that waits does not hold up another."""
    async with httpx2.AsyncClient(timeout=TIMEOUT_S, trust_env=False) as client, asyncio.TaskGroup() as calls:
        while True:
            for news in look():
                calls.create_task(_call(client, address, news, clock))
            await asyncio.sleep(LOOK_S)


async def _call(client: httpx2.AsyncClient, address: Address, news: News, clock: Callable[[], float]) -> None:
    for wait_s in WAITS_S:
        await asyncio.sleep(wait_s)
        headers, body = webhook(address.secret, news, clock())
        try:
            answer = await client.post(address.url, headers=headers, content=body)
        except httpx2.HTTPError:
            continue
        if answer.is_success:
            return
