"""Chat: what a text holds, plain or streamed. The answer alone, in whole characters, and not nothing.

The requests are those of the other files of chat; the deltas of a stream are joined first, as clients do.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from wireproof.clause import Exchange, Inconclusive, NotApplicable, answered, clause, expect, shown

from ._asked import stops
from ._chat import choices_of, delta_of, message_of, reasoning_tokens, text_of
from ._noise import HALF
from ._reading import tokens_of
from ._stream import Piece, by_choice

CHAT = "createChatCompletion"


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
        leaked = LEAKED.search(text)
        if leaked and leaked[0] not in question:
            expect(False, expected="the answer only", got=shown(text), at=_at(pieces[-1]), event=pieces[-1].event)


@clause(
    "chat.characters",
    level="MUST",
    source="SPEC ChatCompletionTokenLogprob.bytes: characters that several tokens make are combined",
    on=answered(CHAT),
    model="some-output",
)
def characters_come_whole(exchange: Exchange) -> None:
    """A text is made of whole characters: what two tokens or two chunks make is held back until it is whole.

    Decoded piece by piece, an emoji or a Chinese character comes out as U+FFFD, and no client can mend it. The
    last one may be half, where the limit cut it.
    """
    if HALF in _question(exchange):
        raise NotApplicable("the question has a replacement character itself")
    for pieces, text in _texts(exchange):
        if HALF not in text.rstrip(HALF):
            continue
        broken = next(piece for piece in pieces if HALF in _text(piece))
        expect(False, expected="whole characters", got=shown(_text(broken)), at=_at(broken), event=broken.event)
