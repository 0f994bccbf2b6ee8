"""Sound on a realtime socket: what is spoken to the client, and what it says into the buffer.

The client hums: it is no speech to a model, so whatever hears turns in it is judged, and whatever hears none is not.
"""

from __future__ import annotations

import base64
import binascii

from wireproof.clause import (
    REALTIME_MODEL,
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

from ._reading import as_count, as_object, as_objects, as_text
from ._realtime import (
    MODEL_S,
    PATH,
    QUIET,
    REALTIME,
    SOON_S,
    TALKS,
    UPDATED,
    Heard,
    answer_to,
    create,
    events_of,
    item_in,
    respond,
    response_in,
    session_in,
    turn,
    turns_of,
    types_of,
    update,
    words,
)
from ._realtime_responses import ANSWERED, whole
from ._realtime_sound import BYTES, append, buffer, hum

BUFFERED = ("input_audio_buffer.committed", "error")
TURNS = ("input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped")
# By which containers begin: a piece of raw samples has no head.
HEADS = (b"RIFF", b"OggS", b"fLaC", b"ID3", b"\x1aE\xdf\xa3")


@talk("realtime.spoken", PATH, about="a spoken answer, and what of it was heard", needs=REALTIME_MODEL,
      query={"model": REALTIME_MODEL}, weighs=(300, 400))  # fmt: skip
def spoken() -> Talk:
    yield Say(None, until=("session.created", "error"))
    quiet = {"audio": QUIET["audio"]}
    yield Say(
        update("wp_quiet", instructions="Say one short word.", output_modalities=["audio"], **quiet), until=UPDATED
    )
    yield Say(create("wp_said", words("Say: Yes.")), until=("conversation.item.done", "error"))
    heard = yield Say(respond("wp_aloud", output_modalities=["audio"], max_output_tokens=400), ANSWERED, MODEL_S)
    items = [as_object(one.get("item")) for one in heard if one.get("type") == "response.output_item.done"]
    id = next((as_text(item.get("id")) for item in items if item.get("type") == "message"), "")
    if id:
        cut = {"type": "conversation.item.truncate", "item_id": id, "content_index": 0}
        told = ("conversation.item.truncated", "error")
        yield Say({"event_id": "wp_far", **cut, "audio_end_ms": 3_600_000}, told, SOON_S)
        yield Say({"event_id": "wp_cut", **cut, "audio_end_ms": 20}, told, SOON_S)


@talk("realtime.buffer", PATH, about="sound that is committed, cleared, and found to be speech or not",
      needs=REALTIME_MODEL, query={"model": REALTIME_MODEL}, weighs=(100, 0))  # fmt: skip
def buffered() -> Talk:
    yield Say(None, until=("session.created", "error"))
    yield Say(update("wp_quiet", **QUIET), until=UPDATED)
    yield Say(buffer("commit", "wp_empty"), BUFFERED, SOON_S)
    yield Say(append("wp_garbled", "no base64!"), ("error",), SOON_S)
    yield Say(append("wp_dropped", hum(0.5)), within_s=0.0)
    yield Say(buffer("clear", "wp_clear"), ("input_audio_buffer.cleared", "error"), SOON_S)
    yield Say(buffer("commit", "wp_cleared"), BUFFERED, SOON_S)
    yield Say(append("wp_kept", hum(0.5)), within_s=0.0)
    yield Say(append("wp_kept_too", hum(0.25)), within_s=0.0)
    yield Say(buffer("commit", "wp_commit"), BUFFERED, SOON_S)
    yield Say(None, ("conversation.item.done", "conversation.item.created"), SOON_S)
    detection = {"type": "server_vad", "create_response": False, "silence_duration_ms": 300}
    yield Say(update("wp_vad", audio={"input": {"turn_detection": detection}}), until=UPDATED)
    yield Say(append("wp_before", hum(0.5, loud=False)), within_s=0.0)
    yield Say(append("wp_speech", hum(1.0)), within_s=0.0)
    yield Say(append("wp_silence", hum(1.0, loud=False)), ("input_audio_buffer.committed",), 3.0)
    yield Say(None, within_s=0.5)


SPOKEN = talked(REALTIME, probes="realtime.spoken")
BUFFER = talked(REALTIME, probes="realtime.buffer")
WRITTEN = talked(REALTIME, probes="realtime.transcription")


# ------------------------------------------------------------------------------------------ what is spoken


@clause("realtime.audio.samples", level="MUST", source="SPEC response.output_audio.delta; DOCS-0715", on=TALKS)
def each_piece_of_sound_is_whole_samples(exchange: Exchange) -> None:
    """Each `output_audio.delta` is base64 of raw samples without a head; those of 16 bit are whole in each piece."""
    judged, is_pcm = False, True
    for one in events_of(exchange):
        if one.type in ("session.created", "session.updated"):
            output = as_object(as_object(session_in(one).get("audio")).get("output"))
            kind = as_text(as_object(output.get("format")).get("type"))
            is_pcm = kind in ("", "audio/pcm")
        if one.type != "response.output_audio.delta":
            continue
        judged = True
        try:
            data = base64.b64decode(as_text(one.data.get("delta")), validate=True)
        except (binascii.Error, ValueError) as bad:
            expect(False, expected="base64", got=str(bad), at="/delta", event=one.number)
        expect(not data.startswith(HEADS), expected="raw samples", got=shown(data[:4].decode("latin-1")), at="/delta",
               event=one.number)  # fmt: skip
        held = not is_pcm or len(data) % BYTES == 0
        expect(held, expected="whole samples of 16 bit", got=f"{len(data):,} bytes", at="/delta", event=one.number)
    if not judged:
        raise NotApplicable("nothing was spoken")


@clause("realtime.audio.spoken", level="MUST", source="SPEC response.create.response.output_modalities", on=SPOKEN,
        model="some-output")  # fmt: skip
def an_answer_aloud_has_sound_and_its_words(exchange: Exchange) -> None:
    """When sound was asked for the answer has sound and a transcript of it, and no bare text."""
    for events, end in whole(exchange):
        types = {one.type for one in events}
        stray = next((one for one in events if one.type.startswith("response.output_text.")), None)
        expect(stray is None, expected="response.output_audio*", got=stray.type if stray else "",
               event=stray.number if stray else None)  # fmt: skip
        if not any(item.get("type") == "message" for item in as_objects(response_in(end).get("output"))):
            raise NotApplicable("the answer is no message")
        for kind in ("output_audio.delta", "output_audio.done", "output_audio_transcript.done"):
            expect(f"response.{kind}" in types, expected=f"response.{kind}", got=types_of(events), event=end.number)
        sound = [one for one in events if one.type == "response.output_audio.delta"]
        held = any(as_text(one.data.get("delta")) for one in sound)
        expect(held, expected="sound", got="pieces without any", at="/delta", event=sound[-1].number)


@clause("realtime.audio.usage", level="SHOULD", source="SPEC RealtimeResponse.usage.output_token_details", on=SPOKEN)
def sound_is_counted(exchange: Exchange) -> None:
    """A spoken answer tells how many of its tokens are sound: more than none."""
    judged = False
    for events, end in whole(exchange):
        details = as_object(as_object(response_in(end).get("usage")).get("output_token_details"))
        if not details or not any(one.type == "response.output_audio.delta" for one in events):
            continue
        judged, told = True, as_count(details.get("audio_tokens"))
        expect(bool(told), expected="audio_tokens above 0", got=shown(details.get("audio_tokens")),
               at="/response/usage/output_token_details/audio_tokens", event=end.number)  # fmt: skip
    if not judged:
        raise NotApplicable("no spoken answer tells its tokens by kind")


@clause("realtime.audio.truncated", level="MUST", source="SPEC conversation.item.truncated", on=SPOKEN)
def what_was_not_heard_is_cut(exchange: Exchange) -> None:
    """`conversation.item.truncated` names the item, the part and the time that the client said."""
    cut = answer_to(exchange, "wp_cut", "conversation.item.truncated")
    said = turn(exchange, "wp_cut").said
    for key in ("item_id", "content_index", "audio_end_ms"):
        expect(cut.data.get(key) == said[key], expected=shown(said[key]), got=shown(cut.data.get(key)), at=f"/{key}",
               event=cut.number)  # fmt: skip


@clause("realtime.audio.truncate-far", level="SHOULD", source="SPEC conversation.item.truncate.audio_end_ms: an error",
        on=SPOKEN)  # fmt: skip
def sound_is_not_cut_after_its_end(exchange: Exchange) -> None:
    """To truncate sound after its end is refused."""
    far = turn(exchange, "wp_far").first("conversation.item.truncated")
    expect(far is None, expected="error", got="conversation.item.truncated", event=far.number if far else None)


# ----------------------------------------------------------------------------------------- what is listened to


@clause("realtime.buffer.empty", level="MUST", source="SPEC input_audio_buffer.commit: an error when empty", on=BUFFER)
def nothing_is_not_committed(exchange: Exchange) -> None:
    """To commit an empty buffer is answered by an error, and makes no item."""
    empty = turn(exchange, "wp_empty")
    taken = empty.first("input_audio_buffer.committed")
    expect(taken is None, expected="error", got="input_audio_buffer.committed", event=taken.number if taken else None)
    expect(not empty.waited, expected="error", got=types_of(empty.heard), event=empty.number)


@clause("realtime.buffer.garbled", level="SHOULD", source="SPEC input_audio_buffer.append.audio: base64", on=BUFFER)
def sound_that_is_no_base64_is_refused(exchange: Exchange) -> None:
    """Sound that is no base64 is answered by an error."""
    garbled = turn(exchange, "wp_garbled")
    expect(not garbled.waited, expected="error", got=types_of(garbled.heard), event=garbled.number)


@clause("realtime.buffer.cleared", level="MUST", source="SPEC input_audio_buffer.clear, .cleared", on=BUFFER)
def a_buffer_that_was_cleared_is_empty(exchange: Exchange) -> None:
    """`input_audio_buffer.clear` is answered by `.cleared`, and then there is nothing to commit."""
    clear = turn(exchange, "wp_clear")
    expect(not clear.waited, expected="input_audio_buffer.cleared", got=types_of(clear.heard), event=clear.number)
    if clear.first("input_audio_buffer.cleared") is None:
        raise NotApplicable("the buffer was not cleared")
    taken = turn(exchange, "wp_cleared").first("input_audio_buffer.committed")
    expect(taken is None, expected="error", got="input_audio_buffer.committed", event=taken.number if taken else None)


@clause("realtime.buffer.committed", level="MUST", source="SPEC input_audio_buffer.committed", on=BUFFER)
def what_is_committed_becomes_an_item(exchange: Exchange) -> None:
    """What is committed becomes an item of the user, a message of sound, by the id that `.committed` tells."""
    commit = turn(exchange, "wp_commit")
    held = not commit.waited or commit.first(*BUFFERED) is not None
    expect(held, expected="input_audio_buffer.committed", got=types_of(commit.heard), event=commit.number)
    committed = answer_to(exchange, "wp_commit", "input_audio_buffer.committed")
    id = committed.data.get("item_id")
    placed = [one for one in events_of(exchange) if one.number > commit.number and item_in(one).get("id") == id]
    added = next((one for one in placed if one.type.startswith("conversation.item.")), None)
    expect(added is not None, expected=f"conversation.item.added of {shown(id)}", got=types_of(commit.heard),
           at="/item_id", event=committed.number)  # fmt: skip
    before, there = committed.data.get("previous_item_id"), added.data.get("previous_item_id") if added else None
    expect(before == there or None in (before, there), expected=shown(there), got=shown(before), at="/previous_item_id",
           event=committed.number)  # fmt: skip
    item = item_in(added) if added else {}
    kinds = [part.get("type") for part in as_objects(item.get("content"))]
    told = [item.get("role"), *kinds]
    expect(told == ["user", "input_audio"], expected='["user", "input_audio"]', got=shown(told), at="/item",
           event=added.number if added else None)  # fmt: skip


@clause("realtime.vad.off", level="MUST", source="SPEC RealtimeSession.audio.input.turn_detection: null", on=BUFFER)
def without_detection_no_turns_are_found(exchange: Exchange) -> None:
    """With `turn_detection: null` nobody is said to have begun or stopped to speak, and nothing commits by itself."""
    answer_to(exchange, "wp_quiet", "session.updated")
    last = next((one.number for one in turns_of(exchange, "session.update") if one.said["event_id"] == "wp_vad"), None)
    commits = [one.number for one in turns_of(exchange, "input_audio_buffer.commit")]
    for one in events_of(exchange):
        if last is not None and one.number > last:
            return
        expect(one.type not in TURNS, expected="no turns", got=one.type, event=one.number)
        held = one.type != "input_audio_buffer.committed" or any(number < one.number for number in commits)
        expect(held, expected="no commit by itself", got=one.type, event=one.number)


@clause("realtime.vad.turns", level="MUST", source="SPEC input_audio_buffer.speech_started, .speech_stopped", on=TALKS)
def who_begins_to_speak_stops(exchange: Exchange) -> None:
    """`speech_stopped` follows a `speech_started` of the same item, at a time that is not before it."""
    started: Heard | None = None
    judged = False
    # Those of the client, which commit without a turn.
    commits = [one.number for one in turns_of(exchange, "input_audio_buffer.commit") if one.error is None]
    committed = 0
    for one in events_of(exchange):
        if one.type == TURNS[0]:
            judged = True
            expect(started is None, expected=TURNS[1], got=one.type, event=one.number)
            started = one
        elif one.type == TURNS[1]:
            expect(started is not None, expected=f"{TURNS[0]} before it", got=one.type, event=one.number)
            begun = started.data if started else {}
            told = one.data.get("item_id")
            expect(told == begun.get("item_id"), expected=shown(begun.get("item_id")), got=shown(told), at="/item_id",
                   event=one.number)  # fmt: skip
            from_ms, to_ms = as_count(begun.get("audio_start_ms")), as_count(one.data.get("audio_end_ms"))
            held = from_ms is None or to_ms is None or 0 <= from_ms <= to_ms
            expect(held, expected=f"no less than {from_ms}", got=shown(to_ms), at="/audio_end_ms", event=one.number)
            started = None
        elif one.type in ("input_audio_buffer.cleared", "input_audio_buffer.committed"):
            committed += one.type.endswith("committed")
            is_asked = one.type.endswith("cleared") or committed <= sum(number < one.number for number in commits)
            held = started is None or is_asked or one.data.get("item_id") != started.data.get("item_id")
            expect(held, expected=f"{TURNS[1]} before it", got=one.type, event=one.number)
            started = None
    if not judged:
        raise NotApplicable("nobody was heard to speak")


@clause("realtime.vad.committed", level="MUST", source="SPEC input_audio_buffer.speech_stopped.item_id", on=BUFFER)
def what_was_spoken_becomes_the_item_that_was_announced(exchange: Exchange) -> None:
    """After `speech_stopped` the sound is committed as the item that it named."""
    asked = turn(exchange, "wp_vad").number
    stopped = next((one for one in events_of(exchange) if one.type == TURNS[1] and one.number > asked), None)
    if stopped is None:
        raise NotApplicable("nobody was heard to stop")
    after = [one for one in events_of(exchange) if one.number > stopped.number]
    committed = next((one for one in after if one.type == "input_audio_buffer.committed"), None)
    expect(committed is not None, expected="input_audio_buffer.committed", got=types_of(after), event=stopped.number)
    told, wanted = (committed or stopped).data.get("item_id"), stopped.data.get("item_id")
    expect(told == wanted, expected=shown(wanted), got=shown(told), at="/item_id",
           event=committed.number if committed else None)  # fmt: skip


@clause("realtime.vad.silent", level="MUST", source="SPEC turn_detection.create_response", on=BUFFER)
def nothing_is_answered_unasked(exchange: Exchange) -> None:
    """With `create_response: false`, or without detection, no response comes that was not asked for."""
    answer_to(exchange, "wp_quiet", "session.updated")
    stray = next((one for one in events_of(exchange) if one.type == "response.created"), None)
    expect(stray is None, expected="no response", got="response.created", event=stray.number if stray else None)
