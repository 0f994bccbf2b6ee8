"""Keeping the key out of everything that is written down.

The marker stands wherever the key was, so a clause can still see that a target echoed it. Masking happens
when an exchange is recorded: neither journal nor report ever holds the key.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from wireproof.exchange import Chunk, Headers, Socket, Undecodable, inflate

MARKER = "[redacted-key]"
LONGER, SHORTER = "+x", "-1"  # behind the marker: a key sent with one character more, or less

# A shorter "key" is a word like `none` that local servers take; masking it in bodies would maul plain text.
LEAST_SECRET_LENGTH = 8


@dataclass(frozen=True)
class Secrets:
    """The strings to mask, longest first, so that a part of the key never hides its rest."""

    values: tuple[str, ...]

    @classmethod
    def of(cls, key: str | None) -> Secrets:
        """The key, and the variants of it that probes send: one character shorter, one longer."""
        return cls((extended(key), key, cut(key)) if key else ())

    def in_text(self, text: str) -> str:
        for value in self.values:
            if len(value) >= LEAST_SECRET_LENGTH:
                text = text.replace(value, MARKER)
        return text

    def in_headers(self, headers: Iterable[tuple[str, str]]) -> Headers:
        """Authorization is masked whatever the key's length; what was changed about the key stays visible."""
        return tuple(
            (name, self._authorization(value) if name.lower() == "authorization" else self.in_text(value))
            for name, value in headers
        )

    def _authorization(self, value: str) -> str:
        scheme, _, key = value.partition(" ")
        marks = dict(zip(self.values, (f"{MARKER}{LONGER}", MARKER, f"{MARKER}{SHORTER}"), strict=False))
        return f"{scheme} {marks.get(key, key)}"

    def in_chunks(self, chunks: Sequence[Chunk], coding: str | None) -> tuple[Chunk, ...]:
        """The body with the marker in place of the key, even when the key was cut by a chunk or compressed."""
        wire = b"".join(chunk.data for chunk in chunks)
        for value in self.values:
            secret = value.encode()
            if len(secret) < LEAST_SECRET_LENGTH:
                continue
            if secret in wire:  # as it is, or under an encoding that is announced and not applied
                chunks = _masked(chunks, wire, secret)
            elif coding and coding.lower() != "identity":
                chunks = _masked_inside(chunks, wire, coding.lower(), secret)
            wire = b"".join(chunk.data for chunk in chunks)
        return tuple(chunks)

    def in_socket(self, socket: Socket) -> Socket:
        told = tuple(replace(one, data=self._in_bytes(one.data)) for one in socket.messages)
        return replace(socket, messages=told, reason=self.in_text(socket.reason))

    def _in_bytes(self, data: bytes) -> bytes:
        for value in self.values:
            if len(value) >= LEAST_SECRET_LENGTH:
                data = data.replace(value.encode(), MARKER.encode())
        return data


def cut(key: str) -> str:
    return key[:-1]


def extended(key: str) -> str:
    return key + "x"


def _masked(chunks: Sequence[Chunk], wire: bytes, secret: bytes) -> list[Chunk]:
    """Each chunk keeps its bytes but for the key; the marker stands in the chunk where the key began."""
    masked: list[Chunk] = []
    start, hit = 0, wire.find(secret)
    for chunk in chunks:
        end, position, kept = start + len(chunk.data), start, []
        while 0 <= hit < end:
            after = hit + len(secret)
            if hit >= start:
                kept += [wire[position:hit], MARKER.encode()]
            position = min(after, end)
            if after > end:  # the next chunk holds the rest of it
                break
            hit = wire.find(secret, after)
        masked.append(Chunk(chunk.at_s, b"".join([*kept, wire[position:end]])))
        start = end
    return masked


def _masked_inside(chunks: Sequence[Chunk], wire: bytes, coding: str, secret: bytes) -> Sequence[Chunk]:
    """A compressed body that holds the key, compressed again without it, in one chunk."""
    try:
        body = inflate(wire, coding)
    except Undecodable:
        return chunks
    if secret not in body:
        return chunks
    body = body.replace(secret, MARKER.encode())
    return [Chunk(chunks[-1].at_s, gzip.compress(body, mtime=0) if "gzip" in coding else zlib.compress(body))]
