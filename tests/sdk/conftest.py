"""The official client against a running stand-in whose every answer is held against the description."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import openai
import pytest
from conforming import conforming

from wireproof.standin.serve import StandIn, embedded
from wireproof.standin.wire import Serve
from wireproof.standin.world import Setup

# Lives pass so fast that no test has to wait for one.
PACE = 100.0


@pytest.fixture(scope="session")
def found_breaches() -> list[str]:
    return []


@pytest.fixture(scope="session")
def running(found_breaches: list[str]) -> Iterator[StandIn]:
    def over(serve: Serve) -> Serve:
        return conforming(serve, found_breaches)

    with embedded(Setup(pace=PACE), over=over) as running:
        yield running


@pytest.fixture
def standin(running: StandIn, found_breaches: list[str]) -> Iterator[StandIn]:
    """Where it is; at its end nothing that was answered may depart from the description."""
    found_breaches.clear()
    yield running
    assert found_breaches == []


@pytest.fixture
def client(standin: StandIn) -> Iterator[openai.OpenAI]:
    """Strict: an answer that does not fit the types of the SDK is an exception."""
    with openai.OpenAI(
        base_url=standin.base_url, api_key=standin.key, max_retries=0, _strict_response_validation=True
    ) as client:
        yield client


@pytest.fixture
def lenient(standin: StandIn) -> Iterator[openai.OpenAI]:
    """The client as everyone has it. For what its own types get wrong: a strict one would refuse the API itself.

    A legacy chunk before its last has `finish_reason` null; the first token of an echo has no logprob; vectors in
    base64, which the client itself asks for, are text until it has decoded them; a stored message is a user's as well.
    """
    with openai.OpenAI(base_url=standin.base_url, api_key=standin.key, max_retries=0) as client:
        yield client


@pytest.fixture
def async_client(standin: StandIn) -> Callable[[], openai.AsyncOpenAI]:
    """Makes one, for `async with async_client() as client` inside the loop that a test runs."""

    def make() -> openai.AsyncOpenAI:
        return openai.AsyncOpenAI(
            base_url=standin.base_url, api_key=standin.key, max_retries=0, _strict_response_validation=True
        )

    return make
