"""A long exchange in one opaque item, which only this stand-in can open: what it was about, in so many tokens."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from typing import Any

from wireproof.standin.prose import reply
from wireproof.standin.resources.responses.items import Item
from wireproof.standin.tokens import joined

SUMMARY_TOKENS = 64
UNREADABLE = "What was said before cannot be read."


def compacted(words: str, meaning: str, new_id: Callable[[str], str]) -> Item:
    """`words` are the last ones of a user; they stay as they were, all else becomes a summary."""
    summary = joined(reply("", meaning, most=SUMMARY_TOKENS))
    content = json.dumps({"summary": summary, "words": words}).encode()
    return {
        "id": new_id("cmp_"),
        "type": "compaction",
        "encrypted_content": base64.urlsafe_b64encode(content).decode(),
    }


def summary_of(item: Mapping[str, Any]) -> str:
    """What a compaction item tells; a fixed sentence for one that was not made here."""
    try:
        content = json.loads(base64.urlsafe_b64decode(item["encrypted_content"]))
        return f"{content['summary']}\n{content['words']}"
    except (binascii.Error, ValueError, KeyError, TypeError):
        return UNREADABLE
