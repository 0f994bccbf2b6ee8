"""What the user said on a realtime socket, in writing: transcripts of items, and sessions that only write down."""

from __future__ import annotations

from typing import Any

from wireproof.clause import (
    TRANSCRIPTION_MODEL,
    Exchange,
    NotApplicable,
    Say,
    Talk,
    clause,
    expect,
    shown,
    talk,
    talked,
)

from ._reading import as_count, as_object, as_text
from ._realtime import (
    PATH,
    REALTIME,
    SOON_S,
    TALKS,
    UPDATED,
    answer_to,
    events_of,
    item_in,
    session_in,
    turn,
    types_of,
)
from ._realtime_sound import append, buffer, hum

WRITTEN = talked(REALTIME, probes="realtime.transcription")


@talk("realtime.transcription", PATH, about="a session that only writes down what it hears", needs=TRANSCRIPTION_MODEL,
      query={"intent": "transcription"}, weighs=(100, 100))  # fmt: skip
def transcription() -> Talk:
    yield Say(None, until=("session.created", "error"))
    hears = {"transcription": {"model": TRANSCRIPTION_MODEL}, "turn_detection": None}
    asked = {"type": "transcription", "audio": {"input": hears}}
    yield Say({"event_id": "wp_hears", "type": "session.update", "session": asked}, until=UPDATED)
    yield Say(append("wp_sound", hum(1.5)), within_s=0.0)
    ended = tuple(f"conversation.item.input_audio_transcription.{one}" for one in ("completed", "failed"))
    yield Say(buffer("commit", "wp_commit"), (*ended, "error"), 30.0)
    yield Say({"event_id": "wp_respond", "type": "response.create"}, ("response.created", "error"), SOON_S)


@clause("realtime.transcripts.fold", level="MUST", source="SPEC conversation.item.input_audio_transcription", on=TALKS)
def pieces_of_a_transcript_make_it(exchange: Exchange) -> None:
    """The deltas of an input transcript, joined, are what `.completed` has; it comes once, and nothing after."""
    kind = "conversation.item.input_audio_transcription"
    joined: dict[tuple[Any, Any], str] = {}
    done: set[tuple[Any, Any]] = set()
    places: dict[Any, set[Any]] = {}
    for one in events_of(exchange):
        if one.type not in (f"{kind}.delta", f"{kind}.completed"):
            continue
        key = one.data.get("item_id"), one.data.get("content_index") or 0
        expect(key not in done, expected="nothing after the whole", got=one.type, event=one.number)
        here = places.setdefault(key[0], set())
        if one.type.endswith("delta"):
            here.add(key[1])
            joined[key] = joined.get(key, "") + as_text(one.data.get("delta"))
            continue
        done.add(key)
        expect(not here or key[1] in here, expected=f"content_index {shown(sorted(here))}", got=shown(key[1]),
               at="/content_index", event=one.number)  # fmt: skip
        told, wanted = as_text(one.data.get("transcript")), joined.get(key)
        held = wanted is None or told.strip() == wanted.strip()  # models without pieces send the whole alone
        expect(held, expected=shown(wanted), got=shown(told), at="/transcript", event=one.number)
    if not done:
        raise NotApplicable("nothing was written down")


@clause(
    "realtime.transcripts.item", level="MUST", source="SPEC ...input_audio_transcription.completed.item_id", on=TALKS
)
def a_transcript_is_of_an_item(exchange: Exchange) -> None:
    """A transcript names an item of the conversation, which was committed before."""
    known: set[Any] = set()
    judged = False
    for one in events_of(exchange):
        known |= {one.data.get("item_id")} if one.type == "input_audio_buffer.committed" else set()
        known |= {item_in(one).get("id")} if one.type.startswith("conversation.item.") and "item" in one.data else set()
        if one.type.startswith("conversation.item.input_audio_transcription."):
            judged, told = True, one.data.get("item_id")
            expect(
                told in known, expected="an item that was committed", got=shown(told), at="/item_id", event=one.number
            )
    if not judged:
        raise NotApplicable("nothing was written down")


@clause(
    "realtime.transcripts.usage", level="SHOULD", source="SPEC ...input_audio_transcription.completed.usage", on=TALKS
)
def usage_of_a_transcript_adds_up(exchange: Exchange) -> None:
    """Where a transcript is paid by tokens, `total_tokens` is input and output together; by time, it is seconds."""
    judged = False
    for one in events_of(exchange):
        usage = as_object(one.data.get("usage")) if one.type.endswith("input_audio_transcription.completed") else {}
        if usage.get("type") == "tokens":
            parts = [as_count(usage.get(name)) for name in ("input_tokens", "output_tokens", "total_tokens")]
            judged, held = True, None not in parts and (parts[0] or 0) + (parts[1] or 0) == parts[2]
            kinds = as_object(usage.get("input_token_details"))
            held = held and sum(as_count(kinds.get(f"{kind}_tokens")) or 0 for kind in ("text", "audio")) <= (
                parts[0] or 0
            )
            expect(held, expected="input and output to make the total", got=shown(usage), at="/usage", event=one.number)
        elif usage.get("type") == "duration":
            judged, told = True, usage.get("seconds")
            held = isinstance(told, int | float) and told > 0
            expect(held, expected="seconds", got=shown(told), at="/usage/seconds", event=one.number)
    if not judged:
        raise NotApplicable("no transcript tells what it cost")


@clause("realtime.transcription.type", level="MUST", source="SPEC TranscriptionSession.type; DOCS-0715", on=WRITTEN)
def a_session_that_writes_down_says_so(exchange: Exchange) -> None:
    """A session that was opened to write down is one of the type `transcription`, and stays one."""
    for one in events_of(exchange):
        if one.type in ("session.created", "session.updated"):
            told = session_in(one).get("type")
            expect(told == "transcription", expected="transcription", got=shown(told), at="/session/type",
                   event=one.number)  # fmt: skip


@clause(
    "realtime.transcription.answered", level="MUST", source="SPEC ...input_audio_transcription.completed", on=WRITTEN
)
def what_was_committed_is_written_down(exchange: Exchange) -> None:
    """Sound that was committed to such a session is written down, or said to have failed."""
    commit = turn(exchange, "wp_commit")
    answer_to(exchange, "wp_hears", "session.updated")
    expect(not commit.waited, expected="...input_audio_transcription.completed or .failed", got=types_of(commit.heard),
           event=commit.number)  # fmt: skip


@clause("realtime.transcription.mute", level="SHOULD", source="DOCS-0715 realtime transcription", on=WRITTEN)
def a_session_that_writes_down_does_not_answer(exchange: Exchange) -> None:
    """Such a session refuses to respond."""
    asked = turn(exchange, "wp_respond")
    begun = asked.first("response.created")
    expect(begun is None, expected="error", got="response.created", event=begun.number if begun else None)
