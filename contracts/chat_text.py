"""Chat: what a text holds, plain or streamed. The answer alone, in whole characters, and not nothing.

The requests are those of the other files of chat; the deltas of a stream are joined first, as clients do.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from wireproof.clause import Exchange, Inconclusive, NotApplicable, answered, clause, expect, sequence, shown

from ._asked import stops
from ._chat import choices_of, delta_of, message_of, reasoning_tokens, text_of
from ._noise import HALF
from ._reading import as_objects, tokens_of
from ._stream import Piece, by_choice

CHAT = "createChatCompletion"


def is_forced(body: dict[str, Any]) -> bool:
    """Whether a call of a tool is demanded."""
    return isinstance(body.get("tool_choice"), dict) or body.get("tool_choice") == "required"


def _texts(exchange: Exchange) -> Iterator[tuple[list[Piece], str]]:
    """`(pieces, text)` of each choice. Raises Inconclusive when there is none."""
    found = by_choice(exchange)
    if not found:
        raise Inconclusive("the answer has no choices")
    for pieces in found.values():
        yield pieces, "".join(map(_text, pieces))


def _text(piece: Piece) -> str:
    return text_of(message_of(piece.choice) if piece.event is None else delta_of(piece.choice))


def _question(exchange: Exchange) -> str:
    """All that was asked, without the escapes of its JSON."""
    return json.dumps(exchange.request.asked, ensure_ascii=False)


def _at(piece: Piece) -> str:
    return f"{piece.at}/{'message' if piece.event is None else 'delta'}/content"


# Fewer tokens can be a stray space or an end mark.
ENOUGH_TOKENS = 4


@clause(
    "chat.text",
    level="SHOULD",
    source="SPEC ChatCompletionResponseMessage.content",
    on=answered(CHAT, streamed=False, asks=lambda body: not stops(body) and not body.get("tools")),
    model="some-output",
)
def text_is_not_lost(exchange: Exchange) -> None:
    """A finished answer that cost tokens says something."""
    choices = choices_of(exchange)
    message = message_of(choices[0])
    spent = (tokens_of(exchange, "completion_tokens") or 0) - reasoning_tokens(exchange)
    if len(choices) != 1 or choices[0].get("finish_reason") != "stop" or spent < ENOUGH_TOKENS:
        raise NotApplicable("no answer that ended by itself is long enough")
    if any(message.get(key) for key in ("refusal", "audio", "tool_calls", "function_call")):
        raise NotApplicable("the answer is a refusal, audio or a call")
    expect(bool(text_of(message)), expected=f"the text of {spent} tokens", got=shown(message), at="/choices/0/message")


# A model's control marks: reasoning that was not taken out, or the template that was not undone. The marks of XML may
# stand in a text, but not at its end; "analysis" runs into the next word where channels were not parsed.
LEAKED = re.compile(
    r"</?think(ing)?>|\u25c1/?think\u25b7|<\|[a-z_]{2,40}\|>|<\uff5c[^\uff5c<>]{2,40}\uff5c>|\[/?INST\]|\[EOS\]|<</?SYS>>"
    r"|<(start|end)_of_turn>|<(bos|eos|pad|unk)>|</s>\s*\Z|\A\s*<s>|\A(?-i:analysis(?=[A-Z]))|assistantfinal",
    re.I,
)


@clause(
    "chat.leaks",
    level="SHOULD",
    source="SPEC ChatCompletionResponseMessage.content",
    on=answered(CHAT),
    model="some-output",
)
def content_is_the_answer_only(exchange: Exchange) -> None:
    """`content` is the answer alone: no `<think>` block, no token of the prompt template.

    Reasoning that is shown to users as text is the usual sign of a server started without its reasoning parser.
    """
    question = _question(exchange)
    for pieces, text in _texts(exchange):
        # A forced call that the limit cut is read by no parser, and its beginning may come as it is.
        is_cut_call = is_forced(exchange.request.asked) and any(
            p.choice.get("finish_reason") == "length" for p in pieces
        )
        leaked = None if is_cut_call else LEAKED.search(text)
        if leaked and leaked[0] not in question:
            expect(False, expected="the answer only", got=shown(text), at=_at(pieces[-1]), event=pieces[-1].event)


@clause(
    "chat.characters",
    level="MUST",
    source="SPEC ChatCompletionTokenLogprob.bytes: characters that several tokens make are combined",
    on=sequence(answered(CHAT)),
    model="some-output",
)
def characters_come_whole(exchanges: list[Exchange]) -> None:
    """A text is made of whole characters: what two tokens or two chunks make is held back until it is whole.

    Decoded piece by piece, an emoji or a Chinese character comes out as U+FFFD, and no client can mend it. The
    last one may be half, where the limit cut it. A model that writes halves also where it counts to fifty, in ASCII,
    makes them itself.
    """
    judged = [exchange for exchange in exchanges if HALF not in _question(exchange)]
    if not judged:
        raise NotApplicable("the question has a replacement character itself")
    broken = [(exchange, piece) for exchange in judged for piece in _halves(exchange)]
    plain = {_last_words(exchange) for exchange, _ in broken if _question(exchange).isascii()}
    if len(plain) >= BY_ITSELF or any(map(COUNTING.match, plain)):
        raise NotApplicable(f"the model itself writes halves of characters, asked for: {shown(sorted(plain)[0])}")
    for exchange, piece in broken:
        at = f"{exchange.id} {_at(piece)}"
        expect(False, expected="whole characters", got=shown(_text(piece)), at=at, event=piece.event)


# A model may greet with an emoji, but who writes halves in answer to this many questions in ASCII has no words at all.
BY_ITSELF = 3
COUNTING = re.compile(r"count\b", re.I)


def _halves(exchange: Exchange) -> Iterator[Piece]:
    """The first piece of each text that has half a character in it; the last one of a text may be half."""
    for pieces, text in _texts(exchange):
        if HALF in text.rstrip(HALF):
            yield next(piece for piece in pieces if HALF in _text(piece))


def _last_words(exchange: Exchange) -> str:
    """The content of the last message that was sent, as JSON when it is no string."""
    messages = as_objects(exchange.request.asked.get("messages"))
    said = messages[-1].get("content") if messages else ""
    return said if isinstance(said, str) else json.dumps(said)
