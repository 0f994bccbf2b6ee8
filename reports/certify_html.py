"""report.html: one self-contained page; every finding with the bytes that show it.

The page needs no network and runs without scripts; with them it filters. The template is beside this file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from wireproof.exchange import Exchange, Message, Socket, Undecodable
from wireproof.judge import Finding, Verdict
from wireproof.report import Report
from wireproof.sse import Event

FILE = "report.html"
MARKS = {"fail": "✗", "flaky": "≈", "inconclusive": "?", "waived": "~", "pass": "✓", "not-applicable": "–"}
FIELD_MARKS = {"honoured": "✓", "refused": "–", "ignored": "✗", "unknown": "?"}
FIELD_CLASSES = {"honoured": "pass", "refused": "not-applicable", "ignored": "fail", "unknown": "soft"}

# Enough to see what went wrong, little enough for a page of sixty exchanges to open at once.
MOST_BODY = 4_000
MOST_LINE = 600
EVENTS_AROUND = 4
MOST_EVENTS = 100


@dataclass(frozen=True, slots=True)
class Line:
    """A line of wire bytes. `at_ms` is None where a time says nothing; `is_it` marks the breach."""

    text: str
    at_ms: float | None = None
    number: int | None = None
    is_it: bool = False


def render(report: Report) -> str:
    page = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    ).get_template("certify.html.j2")
    return page.render(
        report=report,
        marks=MARKS,
        field_marks=FIELD_MARKS,
        field_classes=FIELD_CLASSES,
        findings=[
            (verdict, [(f, list(_shown(report.exchanges.get(f.where.exchange), f))) for f in verdict.findings])
            for verdict in report.failing
        ],
        areas=[(area, [v for v in report.verdicts if v.clause.area == area.name]) for area in report.areas],
        exchanges=[(exchange, list(_body(exchange))) for exchange in report.exchanges.values()],
        search_text=_search_text,
        coded=_coded,
    )


def _search_text(verdict: Verdict) -> str:
    clause = verdict.clause
    return f"{clause.id} {clause.sentence} {clause.area} {verdict.reason}".lower()


def _coded(text: str) -> Markup:
    """Text with `code` between backticks as code."""
    parts = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if odd and number < len(parts) - 1 else part
        for number, part in enumerate(parts)
        for odd in [number % 2]
    )


def _shown(exchange: Exchange | None, finding: Finding) -> Iterator[Line]:
    """The wire around a finding: the event it names, or the whole answer."""
    if exchange is None:
        return
    yield Line(_status_line(exchange))
    events = _told(exchange)
    if finding.where.event is None or not events:
        yield from (Line(f"{name}: {value}") for name, value in exchange.headers)
        yield Line("")
        yield from _body(exchange)
        return
    first = max(0, finding.where.event - EVENTS_AROUND)
    last = min(len(events), finding.where.event + EVENTS_AROUND + 1)
    if first:
        yield Line(f"… {first} events before")
    for number in range(first, last):
        yield replace(events[number], is_it=number == finding.where.event)
    if last < len(events):
        yield Line(f"… {len(events) - last} events after")


def _body(exchange: Exchange) -> Iterator[Line]:
    """A body as it came: events with their times, or text, or bytes in hex."""
    if exchange.trouble:
        yield Line(f"({exchange.trouble.detail})", is_it=True)
    if exchange.socket or exchange.media_type == "text/event-stream":
        events = _told(exchange)
        yield from events[:MOST_EVENTS]
        if len(events) > MOST_EVENTS:
            yield Line(f"… {len(events) - MOST_EVENTS:,} events more, in the journal")
        if exchange.socket:
            yield Line(_closing_line(exchange.socket))
        if events or exchange.socket:
            return
    try:
        text = exchange.text
    except Undecodable as bad:
        yield Line(f"({bad})", is_it=True)
        text = exchange.wire[:MOST_BODY].decode("utf-8", "backslashreplace")
    for line in text[:MOST_BODY].splitlines():
        yield Line(line[:MOST_LINE] + ("…" if len(line) > MOST_LINE else ""))
    if len(text) > MOST_BODY:
        yield Line(f"… {len(text) - MOST_BODY:,} characters more, in the journal")


def _told(exchange: Exchange) -> list[Line]:
    """The messages of a socket, or the events of the body; [] when it is encoded as nobody can read it."""
    if exchange.socket:
        return [_message_line(message, number) for number, message in enumerate(exchange.socket.messages)]
    try:
        return [_event_line(event, number) for number, event in enumerate(exchange.events)]
    except Undecodable:
        return []


def _message_line(message: Message, number: int) -> Line:
    text = message.data[:MOST_LINE].decode("utf-8", "backslashreplace") + ("…" if len(message.data) > MOST_LINE else "")
    return Line(f"{'→' if message.ours else '←'} {text}", message.at_s * 1000, number)


def _closing_line(socket: Socket) -> str:
    if socket.closed_by is None:
        return "(lost without a close frame)"
    code = "without a close frame from the server" if socket.code is None else f"with {socket.code}"
    return f"(closed by the {socket.closed_by} {code}{f': {socket.reason}' if socket.reason else ''})"


def _event_line(event: Event, number: int) -> Line:
    shown = [f"event: {event.name}"] if event.name else []
    shown += [f"data: {event.data}"] if event.data is not None else []
    shown += [f"(no field) {stray}" for stray in event.strays]
    text = " ⏎ ".join(shown)
    return Line(text[:MOST_LINE] + ("…" if len(text) > MOST_LINE else ""), event.at_s * 1000, number)


def _status_line(exchange: Exchange) -> str:
    if exchange.status is None:
        return "no answer"
    first = "" if exchange.headers_at_s is None else f", headers after {exchange.headers_at_s * 1000:.1f} ms"
    return f"HTTP {exchange.status}{first}, ended after {exchange.ended_at_s * 1000:.1f} ms"
