"""What careless and hostile clients do to the stand-in, and what it costs: `python benchmarks/abuse.py`.

A process of its own is asked, by raw sockets, for what no client library would let through: malformed forms, endless
bodies, JSON a hundred thousand levels deep, headers without end, a thousand streams whose clients leave in the middle.
Each has to be refused by name (a 4xx) or answered, in seconds; afterwards the server still answers, and its memory is
within MOST_GROWTH of what it was. Exit 1 when not. `--small` is the same with fewer and smaller of each.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KEY = "sk-abuse"
MODEL = "gpt-4.1-mini"
MOST_GROWTH = 0.10
MOST_SECONDS = 20.0
MOST_SLOW_S = 2.0
MIB = 1024 * 1024
REFUSED = range(400, 500)


@dataclass(frozen=True)
class Abuse:
    """A request as its pieces, and the statuses that are right for it."""

    name: str
    pieces: Iterable[bytes]
    right: Iterable[int] = REFUSED


def head(path: str, *headers: str, method: str = "POST") -> bytes:
    lines = [f"{method} /v1{path} HTTP/1.1", "host: abuse", f"authorization: Bearer {KEY}", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1")


def with_json(path: str, body: bytes | Any) -> list[bytes]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return [head(path, "content-type: application/json", f"content-length: {len(raw)}"), raw]


def with_form(path: str, body: bytes, kind: str = "multipart/form-data; boundary=xyz") -> list[bytes]:
    return [head(path, f"content-type: {kind}", f"content-length: {len(body)}"), body]


def part(name: str, value: bytes = b"x", filename: str = "", more: str = "") -> bytes:
    named = f'; filename="{filename}"' if filename else ""
    return f'--xyz\r\nContent-Disposition: form-data; name="{name}"{named}\r\n{more}\r\n'.encode() + value + b"\r\n"


def endless(first: bytes, piece: bytes, total: int) -> Iterator[bytes]:
    """A chunked body that goes on for `total` bytes."""
    yield first
    for _ in range(total // len(piece)):
        yield b"%x\r\n%b\r\n" % (len(piece), piece)
    yield b"0\r\n\r\n"


def deep(opening: str, closing: str, levels: int, inside: str = "1") -> bytes:
    return (opening * levels + inside + closing * levels).encode()


FILE = part("purpose", b"user_data") + part("file", b"x", "a.txt")
END = b"--xyz--\r\n"


def forms(scale: int) -> list[Abuse]:
    many = b"".join(part(f"field{n}") for n in range(3_000 * scale))
    return [
        Abuse("form without boundary", with_form("/files", FILE + END, "multipart/form-data")),
        Abuse("form with an empty boundary", with_form("/files", FILE + END, "multipart/form-data; boundary=")),
        Abuse("form with another boundary", with_form("/files", FILE + END, "multipart/form-data; boundary=abc")),
        Abuse("form without end", with_form("/files", FILE)),
        Abuse("form cut in a header", with_form("/files", FILE[:60])),
        Abuse("form of nothing", with_form("/files", b"")),
        Abuse("form of noise", with_form("/files", bytes(range(256)) * 100)),
        Abuse("form with a header that is none", with_form("/files", b"--xyz\r\nno colon here\r\n\r\nx\r\n" + END)),
        Abuse("form with a long header", with_form("/files", part("file", more=f"X: {'y' * 100_000}\r\n") + END)),
        Abuse("form with a part without name", with_form("/files", b"--xyz\r\nX: y\r\n\r\nx\r\n" + END)),
        Abuse("form of many fields", with_form("/files", many + END)),
        Abuse("form with deep names", with_form("/files", part("a" + "[b]" * 20_000) + END)),
        Abuse("form with names at odds", with_form("/files", part("purpose[a]") + part("purpose") + FILE + END)),
        Abuse("form with text for a file", with_form("/files", part("purpose", b"user_data") + part("file") + END)),
        Abuse("form with bytes for text", with_form("/files", part("purpose", b"\xff\xfe") + FILE + END)),
        Abuse("form in base64 that is none", with_form("/files",
              part("file", b"!!", "a.txt", "Content-Transfer-Encoding: base64\r\n") + END)),
        Abuse("form for JSON", with_form("/chat/completions", FILE + END)),
        Abuse("JSON for a form", with_json("/files", {"file": "x", "purpose": "user_data"})),
        Abuse("sound that is none", with_form("/audio/transcriptions",
              part("model", b"whisper-1") + part("file", b"\0" * 1000, "a.wav") + END)),
        Abuse("picture that is none", with_form("/images/edits",
              part("prompt", b"x") + part("image", b"\x89PNG\r\n" + b"\0" * 1000, "a.png") + END)),
    ]  # fmt: skip


def values(scale: int) -> list[Abuse]:
    chat, user = "/chat/completions", [{"role": "user", "content": "Hi"}]

    def asked(**fields: Any) -> list[bytes]:
        return with_json(chat, {"model": MODEL, "messages": user, "max_tokens": 1, **fields})

    def nested(levels: int) -> dict[str, Any]:
        schema: dict[str, Any] = {"type": "object"}
        for _ in range(levels):
            schema = {"type": "object", "properties": {"a": schema}, "required": ["a"], "additionalProperties": False}
        return {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}

    inside = b'{"model": "%b", "messages": [{"role": "user", "content": ' % MODEL.encode()
    found = [
        Abuse("no JSON", with_json(chat, b"{")),
        Abuse("JSON that is no object", with_json(chat, b"[]")),
        Abuse("JSON in UTF-16", with_json(chat, json.dumps({"model": MODEL}).encode("utf-16"))),
        Abuse("half a surrogate pair", with_json(chat, b'{"model": "\\ud800", "messages": []}')),
        Abuse("not a number", with_json(chat, b'{"model": "m", "messages": [], "temperature": NaN}')),
        Abuse("a number of 100,000 digits", with_json(chat, b'{"model": "m", "n": ' + b"9" * 100_000 + b"}")),
        Abuse("a number beyond floats", with_json(chat, b'{"model": "m", "messages": [], "temperature": 1e999}')),
        Abuse("the same key 100,000 times", with_json(chat, b"{" + b'"a": 1,' * 100_000 + b'"a": 1}')),
        Abuse("schema of 150 levels", asked(response_format=nested(150)), (200, *REFUSED)),
        Abuse("schema of itself", asked(response_format={"type": "json_schema", "json_schema": {
            "name": "n", "schema": {"$ref": "#"}}})),
        Abuse("schema from elsewhere", asked(response_format={"type": "json_schema", "json_schema": {
            "name": "n", "schema": {"$ref": "http://127.0.0.1:1/x"}}})),
        Abuse("pattern that backtracks", asked(response_format={"type": "json_schema", "json_schema": {
            "name": "n", "schema": {"type": "string", "pattern": "^(a+)+$"}}}), (200, *REFUSED)),
        Abuse("pattern of a billion letters", asked(response_format={"type": "json_schema", "json_schema": {
            "name": "n", "schema": {"type": "string", "pattern": "^(a{9999}){9999}$"}}}), (200, *REFUSED)),
        Abuse("text of a billion letters", asked(response_format={"type": "json_schema", "json_schema": {
            "name": "n", "schema": {"type": "string", "minLength": 10**9}}}), (200, *REFUSED)),
        Abuse("list of a billion", asked(response_format={"type": "json_schema", "json_schema": {
            "name": "n", "schema": {"type": "array", "items": {}, "minItems": 10**9}}}), (200, *REFUSED)),
        Abuse("128 long answers", with_json(chat, {"model": MODEL, "n": 128, "messages": [
            {"role": "user", "content": f"Write {500 * scale} words"}]}), (200, *REFUSED)),
        Abuse("formula of 5,000 brackets", with_json("/fine_tuning/alpha/graders/validate", {"grader": {
            "type": "multi", "name": "m", "graders": {}, "calculate_output": "(" * 5000}})),
        Abuse("grader of a million letters", with_json("/fine_tuning/alpha/graders/run", {
            "model_sample": "x" * 1_000_000, "grader": {"type": "text_similarity", "name": "t", "input":
            "{{sample.output_text}}", "reference": "x", "evaluation_metric": "fuzzy_match"}}), (200, *REFUSED)),
        Abuse("python of 100,000 brackets", with_json("/fine_tuning/alpha/graders/validate", {"grader": {
            "type": "python", "name": "p", "source": "(" * 100_000}})),
        Abuse("filter of 10,000 pairs", [head("/fine_tuning/jobs?" + "&".join(
            f"metadata[k{n}]=v" for n in range(5_000)), method="GET")]),
    ]  # fmt: skip
    for levels in (200, 500, 900, 5_000, 100_000):
        found += [
            Abuse(f"lists of {levels:,} levels", with_json(chat, deep("[", "]", levels))),
            Abuse(f"objects of {levels:,} levels", with_json(chat, deep('{"a":', "}", levels))),
            Abuse(f"content of {levels:,} levels", with_json(chat, inside + deep("[", "]", levels) + b"}]}")),
            Abuse(f"item of {levels:,} levels", with_json("/fine_tuning/alpha/graders/run",
                  b'{"model_sample": "x", "grader": {"type": "string_check", "name": "s", "input": "{{item.a}}", '
                  b'"reference": "", "operation": "eq"}, "item": {"a": ' + deep("[", "]", levels) + b"}}"),
                  (200, *REFUSED)),
            Abuse(f"schema of {levels:,} levels for an eval", with_json("/evals", b'{"testing_criteria": [], '
                  b'"data_source_config": {"type": "custom", "item_schema": {"x": ' + deep('{"a":', "}", levels)
                  + b"}}}"), (201, *REFUSED)),
        ]  # fmt: skip
    return found


def sizes(scale: int) -> list[Abuse]:
    mega = b" " * MIB
    chunked = "transfer-encoding: chunked"
    claims = f"content-length: {600 * MIB}"
    return [
        Abuse("a body said to be huge", [head("/chat/completions", f"content-length: {10**12}")], (413,)),
        Abuse("a form said to be huge",
              [head("/files", "content-type: multipart/form-data; boundary=xyz", claims)], (413,)),
        Abuse("JSON without end", endless(head("/chat/completions", chunked), mega, 70 * MIB), (413,)),
        Abuse(f"a letter of {2 * scale} MiB", with_json("/chat/completions", {
            "model": MODEL, "messages": [{"role": "user", "content": "x " * (MIB * scale)}]}), (200, *REFUSED)),
        Abuse(f"an input of {50_000 * scale:,} texts", with_json("/embeddings", {
            "model": "text-embedding-3-small", "input": ["x"] * (50_000 * scale)})),
        Abuse(f"a file of {8 * scale} MiB for a picture", with_form("/images/edits", part("prompt", b"x")
              + part("image", b"\0" * (8 * MIB * scale), "a.png") + END)),
        Abuse("a header of 1 MiB", [head("/models", f"x: {'y' * MIB}", method="GET")], (431,)),
        Abuse("100,000 headers", [head("/models", *("x: y" for _ in range(100_000)), method="GET")], (431,)),
        Abuse("a path of 60,000 letters", [head("/" + "x" * 60_000, method="GET")], (404,)),
        Abuse("a length that is none", [head("/chat/completions", "content-length: many")], (400,)),
        Abuse("a chunk that is none", [head("/chat/completions", chunked), b"zz\r\nx\r\n"], (400,)),
        Abuse("two lengths", [head("/chat/completions", "content-length: 1", "content-length: 2"), b"{}"], (400,)),
        Abuse("noise for HTTP", [bytes(range(256)) * 4], (400,)),
        Abuse("TLS for HTTP", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500)], (400,)),
        Abuse("a method that is none", [b"BREW /v1/models HTTP/1.1\r\nhost: x\r\n\r\n"], REFUSED),
    ]  # fmt: skip


@contextmanager
def standin() -> Iterator[tuple[int, int]]:
    """A stand-in process: its port and its process id."""
    command = [sys.executable, "-m", "wireproof", "serve", "--port", "0", "--key", KEY, "--tier", "unlimited",
               "--itl-ms", "2"]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if found := re.search(r"http://127\.0\.0\.1:(\d+)", line):
                yield int(found[1]), process.pid
                return
        raise SystemExit(f"the stand-in did not start: exit {process.wait()}")
    finally:
        process.terminate()
        process.wait()


def resident_mib(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MIB


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def status_of(port: int, pieces: Iterable[bytes]) -> int:
    """The status of the first answer; 0 when the connection ends without one."""
    async with connected(port) as (reader, writer):
        answered = asyncio.create_task(reader.readline())
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                if answered.done():
                    break
        try:
            line = await answered
        except ConnectionError:
            return 0
    found = re.match(rb"HTTP/1\.[01] (\d{3})", line)
    return int(found[1]) if found else 0


async def abused(port: int, abuses: Iterable[Abuse]) -> list[str]:
    """What went wrong, in words."""
    wrong = []
    for abuse in abuses:
        started_s = time.perf_counter()
        try:
            status = await asyncio.wait_for(status_of(port, abuse.pieces), MOST_SECONDS)
        except TimeoutError:
            wrong.append(f"{abuse.name}: no answer within {MOST_SECONDS:.0f} s")
            continue
        took_s = time.perf_counter() - started_s
        if status not in abuse.right:
            wrong.append(f"{abuse.name}: answered with {status}")
        if took_s > MOST_SLOW_S:
            print(f"  slow: {abuse.name}, {took_s:.1f} s", file=sys.stderr)
    return wrong


async def left(port: int, streams: int) -> None:
    """So many streams at once, each left by its client after the first piece."""
    body = {"model": MODEL, "stream": True, "messages": [{"role": "user", "content": "Write 2000 words"}]}
    pieces = with_json("/chat/completions", body)

    async def one() -> None:
        async with connected(port) as (reader, writer):
            writer.write(b"".join(pieces))
            await reader.readuntil(b"data: ")

    await asyncio.gather(*(one() for _ in range(streams)))


async def half_said(port: int, clients: int) -> None:
    """Clients that leave in the middle of a request."""
    whole = b"".join(with_form("/files", part("file", b"x" * 10_000, "a.txt") + END))
    for at in range(clients):
        async with connected(port) as (_, writer):
            writer.write(whole[: 1 + at * len(whole) // clients])
            await writer.drain()


async def is_well(port: int) -> bool:
    body = {"model": MODEL, "messages": [{"role": "user", "content": "Say: yes"}]}
    return await status_of(port, with_json("/chat/completions", body)) == 200


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--small", action="store_true", help="fewer and smaller of each")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    scale, streams, clients = (1, 50, 20) if given.small else (4, 1000, 200)

    async def round_(port: int) -> list[str]:
        wrong = await abused(port, [*forms(scale), *values(scale), *sizes(scale)])
        await left(port, streams)
        await half_said(port, clients)
        return wrong

    with standin() as (port, pid):
        asyncio.run(left(port, 10))
        wrong = asyncio.run(round_(port))
        before = resident_mib(pid)
        print(f"after a first round: {before:.1f} MiB")
        for number in range(1, given.rounds + 1):
            wrong += asyncio.run(round_(port))
            time.sleep(1.0)
            after = resident_mib(pid)
            print(f"after round {number}: {after:.1f} MiB ({after / before - 1:+.1%})")
        if not asyncio.run(is_well(port)):
            wrong.append("the server does not answer any more")
        if after > before * (1 + MOST_GROWTH):
            wrong.append(f"memory has grown from {before:.1f} to {after:.1f} MiB")
    for line in dict.fromkeys(wrong):
        print(line)
    print("kept" if not wrong else f"broken: {len(set(wrong))}")
    return int(bool(wrong))


if __name__ == "__main__":
    raise SystemExit(main())
