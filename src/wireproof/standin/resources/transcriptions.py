"""What is said in a recording: transcribed in six formats or as events, or translated into English."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from wireproof.standin.call import Call
from wireproof.standin.catalogue import Model, model_for
from wireproof.standin.languages import ENGLISH, LANGUAGES
from wireproof.standin.media import transcripts
from wireproof.standin.media.recordings import Recording
from wireproof.standin.media.transcripts import Spoken
from wireproof.standin.metered import limited
from wireproof.standin.prose import dice
from wireproof.standin.recording_orders import INPUT_TOKENS_A_SECOND, check, kind_of_ears, translated
from wireproof.standin.serving import serves
from wireproof.standin.tokens import count
from wireproof.standin.wire import EVENT_STREAM, Answer, Frame, event_frame, json_answer
from wireproof.standin.world import World

PLAIN = (("content-type", "text/plain; charset=utf-8"),)
# Source: the published vocabulary of the first Whisper: times are tokens from here on, 20 ms apart.
FIRST_TIME_TOKEN, TIME_TOKENS_A_SECOND, WORD_TOKENS = 50_364, 50, 50_257
# It listens to half a minute at a time, and counts hundredths of a second.
WINDOW_S, SEEK_A_SECOND = 30, 100


@dataclass(frozen=True)
class Heard:
    """One checked request, and what is heard in its file. `task`: transcribe or translate."""

    body: Mapping[str, Any]
    model: str
    recording: Recording
    task: str = "transcribe"

    @property
    def language(self) -> str:
        return ENGLISH if self.task == "translate" else self.body.get("language") or ENGLISH


@serves("createTranscription")
def transcribe(world: World, call: Call) -> Answer:
    return _limited(world, call, lambda model, recording: Heard(call.body, model.id, recording))


@serves("createTranslation")
def translate(world: World, call: Call) -> Answer:
    def heard(model: Model, recording: Recording) -> Heard:
        return Heard(call.body, model.id, translated(recording), task="translate")

    return _limited(world, call, heard, translates=True)


def _limited(
    world: World, call: Call, heard: Callable[[Model, Recording], Heard], *, translates: bool = False
) -> Answer:
    """The answer behind the rate limit; the file is decoded once, while it is checked."""
    model = model_for(world.models, call.body["model"], "transcription")
    decoded: list[Recording] = []
    return limited(
        world,
        call,
        model,
        check=lambda: decoded.append(check(call.body, model, translates=translates)),
        tokens=lambda: _audio_tokens(decoded[0]),
        answer=lambda: _answer(world, call, heard(model, decoded[0])),
    )


def _answer(world: World, call: Call, heard: Heard) -> Answer:
    latency = world.setup.latency
    if call.body.get("stream") and kind_of_ears(heard.model).streams:
        return Answer(200, EVENT_STREAM, frames=list(_events(heard, latency.gaps(call.serial))))
    made = FORMATS[call.body.get("response_format") or "json"](heard)
    delay_ms = latency.whole_ms(len(heard.recording.tokens), call.serial)
    if isinstance(made, str):
        return Answer(200, PLAIN, made.encode(), delay_ms=delay_ms)
    return json_answer(made, delay_ms=delay_ms)


def _json(heard: Heard) -> dict[str, Any]:
    answer: dict[str, Any] = {"text": heard.recording.words}
    if heard.task == "translate":
        return answer
    return {**answer, **_extras(heard), "usage": _usage(heard)}


def _verbose(heard: Heard) -> dict[str, Any]:
    recording = heard.recording
    answer: dict[str, Any] = {
        "task": heard.task,
        "language": LANGUAGES[heard.language],
        "duration": recording.duration_s,
        "text": recording.words,
    }
    wanted = heard.body.get("timestamp_granularities") or ["segment"]
    if "segment" in wanted:
        parts = enumerate(transcripts.sentences(recording))
        answer["segments"] = [_segment(number, part, heard) for number, part in parts]
    if "word" in wanted:
        answer["words"] = [
            {"word": part.text.strip(" \n.,;:!?"), "start": part.start, "end": part.end}
            for part in transcripts.words(recording)
        ]
    if heard.task == "transcribe":
        answer["usage"] = _seconds(heard)
    return answer


def _diarized(heard: Heard) -> dict[str, Any]:
    return {
        "task": "transcribe",
        "duration": heard.recording.duration_s,
        "text": heard.recording.words,
        "segments": list(_turns(heard)),
        "usage": _usage(heard),
    }


FORMATS: Mapping[str, Callable[[Heard], dict[str, Any] | str]] = {
    "json": _json,
    "verbose_json": _verbose,
    "diarized_json": _diarized,
    "text": lambda heard: heard.recording.words + "\n",
    "srt": lambda heard: transcripts.srt(transcripts.sentences(heard.recording)),
    "vtt": lambda heard: transcripts.vtt(transcripts.sentences(heard.recording)),
}


def _events(heard: Heard, gaps: Iterator[float]) -> Iterator[Frame]:
    """A delta a token; with speakers also each turn once it is over; at the end the whole text."""
    speakers = heard.body.get("response_format") == "diarized_json"
    turns = list(_turns(heard)) if speakers else []
    for at, part in enumerate(transcripts.sentences(heard.recording)):
        for token in part.tokens:
            delta: dict[str, Any] = {"type": "transcript.text.delta", "delta": token}
            if speakers:
                delta["segment_id"] = turns[at]["id"]
            if _wants_logprobs(heard):
                delta["logprobs"] = [_logprob(token, heard)]
            yield event_frame(delta, next(gaps))
        if speakers:
            yield event_frame(turns[at])
    yield event_frame(
        {
            "type": "transcript.text.done",
            "text": heard.recording.words,
            **_extras(heard),
            "usage": _tokens(heard),
        }
    )


def _extras(heard: Heard) -> dict[str, Any]:
    """What only some models, or only some requests, have in their answers."""
    found: dict[str, Any] = {}
    if kind_of_ears(heard.model).tells_languages:
        found["languages"] = [{"code": (heard.body.get("languages") or [heard.language])[0]}]
    if _wants_logprobs(heard):
        found["logprobs"] = [_logprob(token, heard) for token in heard.recording.tokens]
    return found


def _wants_logprobs(heard: Heard) -> bool:
    return "logprobs" in (heard.body.get("include") or ())


def _logprob(token: str, heard: Heard) -> dict[str, Any]:
    logprob = -dice("heard", heard.model, heard.recording.duration_s, token).expovariate(8)
    return {"token": token, "logprob": round(logprob, 6), "bytes": list(token.encode())}


def _turns(heard: Heard) -> Iterator[dict[str, Any]]:
    """Who says which sentence: the known speakers, or A and B, by turns drawn from the words."""
    names = heard.body.get("known_speaker_names") or ["A", "B"]
    speaker = 0
    for number, part in enumerate(transcripts.sentences(heard.recording)):
        if number and dice("turn", part.text, number).random() < 0.6:
            speaker = (speaker + 1) % len(names)
        yield {
            "type": "transcript.text.segment",
            "id": f"seg_{number}",
            "start": part.start,
            "end": part.end,
            "text": part.text,
            "speaker": names[speaker],
        }


def _segment(number: int, part: Spoken, heard: Heard) -> dict[str, Any]:
    throw = dice("segment", part.text, heard.model)
    ids = [throw.randrange(WORD_TOKENS) for _ in part.tokens]
    raw = part.text.encode()
    return {
        "id": number,
        "seek": int(part.start // WINDOW_S) * WINDOW_S * SEEK_A_SECOND,
        "start": part.start,
        "end": part.end,
        "text": part.text,
        "tokens": [_time_token(part.start), *ids, _time_token(part.end)],
        "temperature": float(heard.body.get("temperature") or 0),
        "avg_logprob": round(-throw.uniform(0.05, 0.5), 6),
        "compression_ratio": round(len(raw) / len(zlib.compress(raw)), 6),
        "no_speech_prob": round(throw.uniform(0.0001, 0.05), 6),
    }


def _time_token(seconds: float) -> int:
    return FIRST_TIME_TOKEN + round(seconds % WINDOW_S * TIME_TOKENS_A_SECOND)


def _usage(heard: Heard) -> dict[str, Any]:
    return _tokens(heard) if kind_of_ears(heard.model).counts_tokens else _seconds(heard)


def _seconds(heard: Heard) -> dict[str, Any]:
    return {"type": "duration", "seconds": math.ceil(heard.recording.duration_s)}


def _tokens(heard: Heard) -> dict[str, Any]:
    audio, text = _audio_tokens(heard.recording), count(heard.body.get("prompt") or "")
    said = len(heard.recording.tokens)
    return {
        "type": "tokens",
        "input_tokens": audio + text,
        "input_token_details": {"text_tokens": text, "audio_tokens": audio},
        "output_tokens": said,
        "total_tokens": audio + text + said,
    }


def _audio_tokens(recording: Recording) -> int:
    return math.ceil(recording.duration_s * INPUT_TOKENS_A_SECOND)
