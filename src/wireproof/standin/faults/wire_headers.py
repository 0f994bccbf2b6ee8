"""Departures of headers: values that cannot be read, come twice, or are not true."""

from __future__ import annotations

from wireproof.standin.faults import fault
from wireproof.standin.wire import Answer, Ask, Serve


def _is_list(ask: Ask) -> bool:
    return ask.method == "GET" and ask.path.endswith("/models")


@fault("wire.version-of-its-own", breaks="wire.header-syntax")
def the_version_is_its_own(ask: Ask, serve: Serve) -> Answer:
    """`openai-version` is the version of the server, `v0.11.2`."""
    return serve(ask).with_header("openai-version", "v0.11.2")


@fault("wire.organization-empty", breaks="wire.header-syntax")
def the_organization_is_empty(ask: Ask, serve: Serve) -> Answer:
    """`openai-organization` is sent without a value."""
    return serve(ask).with_header("openai-organization", "")


@fault("wire.processing-us", breaks="wire.processing-time")
def processing_time_is_of_another_unit(ask: Ask, serve: Serve) -> Answer:
    """`openai-processing-ms` counts nanoseconds."""
    answer = serve(ask)
    told = answer.header("openai-processing-ms")
    return answer if told is None else answer.with_header("openai-processing-ms", f"{max(int(told), 1)}000000")


@fault("wire.date-iso", breaks="wire.date")
def the_date_is_iso(ask: Ask, serve: Serve) -> Answer:
    """`date` is written as ISO 8601 has it."""
    return serve(ask).with_header("date", "2026-11-19T08:26:40Z")


@fault("wire.date-stopped", breaks="wire.date")
def the_clock_stands_still(ask: Ask, serve: Serve) -> Answer:
    """`date` is the day on which the image of the server was built."""
    return serve(ask).with_header("date", "Tue, 14 Jan 2025 09:30:00 GMT")


@fault("wire.origin-twice", breaks="wire.headers-once")
def the_allowed_origin_comes_twice(ask: Ask, serve: Serve) -> Answer:
    """Server and gateway both allow every origin, and browsers see `*, *`."""
    answer = serve(ask)
    return answer.with_header("access-control-allow-origin", "*, *") if _is_list(ask) else answer
