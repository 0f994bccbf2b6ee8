"""`wireproof serve`: the stand-in in the foreground."""

from __future__ import annotations

import errno
import os
import signal
import socket
import sys
from contextlib import closing, suppress
from pathlib import Path

import click

from wireproof.cli import Fail
from wireproof.standin.backend import DEFAULT_KEY, DEFAULT_TIER, Backend, Setup
from wireproof.standin.catalogue import DEFAULT_MODEL
from wireproof.standin.faults import all_faults
from wireproof.standin.guestbook import Guestbook
from wireproof.standin.latency import Latency
from wireproof.standin.postman import Address
from wireproof.standin.serve import StandIn, bound, foreground, standin_at, with_faults

# As the official SDK names it. The other is no secret at all: base64 of "the secret of a stand-in".
SECRET_NAME = "OPENAI_WEBHOOK_SECRET"
SECRET = "whsec_dGhlIHNlY3JldCBvZiBhIHN0YW5kLWlu"
NOT_NEGATIVE = click.FloatRange(min=0)


def print_faults(context: click.Context, _option: click.Parameter, asked: bool) -> None:
    if not asked or context.resilient_parsing:
        return
    faults = all_faults().values()
    width = max((len(fault.id) for fault in faults), default=0)
    for fault in faults:
        click.echo(f"{fault.id:<{width}}  {fault.summary}  (breaks {fault.breaks})")
    context.exit()


@click.command(
    epilog="Example: wireproof serve --port 8000 --tier tier-1 --scale 0.02 --ttft-ms 200 --itl-ms 20 --jitter 0.2"
)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0 takes any free port.")
@click.option(
    "--key",
    envvar="WIREPROOF_STANDIN_KEY",
    default=DEFAULT_KEY,
    help=f"The key to ask for, else $WIREPROOF_STANDIN_KEY, else {DEFAULT_KEY}.",
)
@click.option("--model", "models", multiple=True, metavar="ID", help=f"One more name for {DEFAULT_MODEL}; repeatable.")
@click.option("--tier", default=DEFAULT_TIER, show_default=True, metavar="NAME", help="Whose rate limits to enforce.")
@click.option(
    "--scale",
    default=1.0,
    show_default=True,
    help="Shrinks the tier's limits (and, when few are left, their minute), to reach them with less traffic.",
)
@click.option("--ttft-ms", default=20.0, show_default=True, type=NOT_NEGATIVE, help="Time to the first token.")
@click.option("--itl-ms", default=5.0, show_default=True, type=NOT_NEGATIVE, help="Time from token to token.")
@click.option("--jitter", default=0.0, show_default=True, type=NOT_NEGATIVE, help="Lognormal sigma of both times.")
@click.option("--seed", default=0, show_default=True, help="Of the jitter.")
@click.option("--fault", "faults", multiple=True, metavar="ID", help="Depart from the contract so; repeatable.")
@click.option(
    "--list-faults", is_flag=True, expose_value=False, is_eager=True, callback=print_faults, help="Print them and exit."
)
@click.option(
    "--state", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Remember there, over restarts."
)
@click.option(
    "--pace",
    default=1.0,
    show_default=True,
    type=click.FloatRange(min=0, min_open=True),
    help="How much faster batches, fine-tuning and the like live: 10 is ten times.",
)
@click.option(
    "--record",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Keep a journal of what clients send, keys masked; `wireproof judge FILE` reads it.",
)
@click.option(
    "--webhook",
    metavar="URL",
    help="Call this address of this machine about batches, fine-tuning, evals, background responses and calls; signed "
    "with $OPENAI_WEBHOOK_SECRET, else with a secret that is printed.",
)
@click.option("--truth", is_flag=True, help="Note true timings: GET /_standin/truth, POST /_standin/reset.")
def command(
    host: str,
    port: int,
    key: str,
    models: tuple[str, ...],
    tier: str,
    scale: float,
    ttft_ms: float,
    itl_ms: float,
    jitter: float,
    seed: int,
    faults: tuple[str, ...],
    state: Path | None,
    pace: float,
    record: Path | None,
    webhook: str | None,
    truth: bool,
) -> None:
    """Run the stand-in: a reference backend with tiers, latencies and named faults.

    Its text is made up, but deterministic; `Reply with: X`, `Count to N` and `Write N words` are obeyed, and
    the extension `ignore_eos: true` writes until max_tokens.
    """
    latency = Latency(ttft_ms, itl_ms, jitter, seed)
    setup = Setup((key,), tier, scale, latency, models, state, pace, tells=webhook is not None)
    try:
        address = Address(webhook, os.environ.get(SECRET_NAME) or SECRET) if webhook is not None else None
        backend = Backend(setup)
        with_faults(backend.answer, faults)
    except ValueError as wrong:
        raise Fail(str(wrong)) from None
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # as a container is stopped; not to be killed half-way
    with closing(backend), _listening(host, port) as listening:
        standin = standin_at(listening, setup)
        guestbook = _guestbook(record, standin, setup.keys, faults)
        click.echo(_welcome(standin, faults, address))
        with suppress(KeyboardInterrupt):  # Ctrl-C is how it is meant to end
            foreground(listening, backend, faults=faults, truth=truth, guestbook=guestbook, webhook=address)


def _guestbook(path: Path | None, standin: StandIn, keys: tuple[str, ...], faults: tuple[str, ...]) -> Guestbook | None:
    try:
        return Guestbook(path, standin.base_url, keys, faults) if path is not None else None
    except FileExistsError:
        raise Fail(f"--record: {path} is there already; what was recorded is not overwritten") from None
    except OSError as refused:
        raise Fail(f"--record: cannot write {path}: {refused.strerror or refused}") from None


def _shown(secret: str) -> str:
    return secret if secret == SECRET else f"${SECRET_NAME}"


def _listening(host: str, port: int) -> socket.socket:
    try:
        return bound(host, port)
    except OSError as refused:
        if refused.errno == errno.EADDRINUSE:
            raise Fail(f"port {port} of {host} is taken; choose another with --port, or any with --port 0") from None
        raise Fail(f"cannot listen on {host} port {port}: {refused.strerror or refused}") from None


def _welcome(standin: StandIn, faults: tuple[str, ...], address: Address | None) -> str:
    body = f'{{"model": "{standin.model}", "messages": [{{"role": "user", "content": "Hello"}}]}}'
    return "\n".join(
        [
            f"base URL  {standin.base_url}",
            f"key       {standin.key}",
            f"model     {standin.model}",
            *(f"fault     {fault}" for fault in faults),
            *([f"webhook   {address.url}, signed with {_shown(address.secret)}"] if address else []),
            "",
            f"curl {standin.base_url}/chat/completions -H 'Authorization: Bearer {standin.key}' "
            f"-H 'Content-Type: application/json' -d '{body}'",
            "",
            f'OpenAI(base_url="{standin.base_url}", api_key="{standin.key}")    # the official SDK',
            "",
            "Ctrl-C ends it.",
        ]
    )
