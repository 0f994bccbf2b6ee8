"""The options that certify and plan share, and how they become an order."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wireproof.cli import UNREACHABLE, Fail
from wireproof.cli.measures import read_features

if TYPE_CHECKING:
    from wireproof.fetch import Target
    from wireproof.order import Order
    from wireproof.plan import Budget, Models

OTHER_KINDS = ("image", "speech", "transcription", "moderation", "realtime")
# Of the stand-in's own models of a kind, the one that can do most; the first of the kind where none is named.
MOST_ABLE = {"speech": "gpt-4o-mini-tts", "transcription": "whisper-1", "realtime": "gpt-realtime-mini"}
BUDGET_KEYS = {"calls": int, "tokens": int, "usd": float}
STANDIN_CASES = 10

Command = Callable[..., Any]


def target_options(command: Command) -> Command:
    """What to certify, with what, and how much of it."""
    options = [
        click.option("--base-url", metavar="URL", help="The backend, up to its version prefix: https://host/v1."),
        click.option("--model", metavar="ID", help="The chat model. Default: the only one that GET /models lists."),
        click.option(
            "--embedding-model", metavar="ID", help="The model for /embeddings; not judged when there is none."
        ),
        click.option("--completion-model", metavar="ID", help="The model for /completions. Default: the chat model."),
        click.option(
            "--model-for",
            "models_for",
            multiple=True,
            metavar="KIND=ID",
            help="The model for image, speech, transcription, moderation or realtime; not judged when there is none. "
            "Repeatable.",
        ),
        click.option(
            "--api-key-env",
            metavar="NAME",
            default="OPENAI_API_KEY",
            show_default=True,
            help="The environment variable that holds the key.",
        ),
        click.option(
            "--only", metavar="GLOB", multiple=True, help="Only these clauses: chat.stream, 'errors.*'. Repeatable."
        ),
        click.option(
            "--profile",
            "profiles",
            multiple=True,
            metavar="NAME",
            help="What to ask for: core (the default), stateful, media, legacy-assistants, ..., all. Repeatable.",
        ),
        click.option("--level", metavar="Ln", help="Only the clauses up to this rung: L0 to L5."),
        click.option("--cases", type=click.IntRange(0, 500), help="Property-based requests an operation. Default: 0."),
        click.option("--seed", type=int, default=1, show_default=True, help="Seed of the drawn requests."),
        click.option(
            "--contracts",
            type=click.Path(exists=True, file_okay=False, path_type=Path),
            multiple=True,
            metavar="DIR",
            help="A folder with contracts of your own. Repeatable.",
        ),
        click.option(
            "--budget",
            metavar="calls=N,tokens=N,usd=X",
            help="Send what covers the most severe clauses for it, and say what it leaves out.",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def parse_budget(text: str | None) -> Budget:
    """`calls=60,usd=0.05` as a Budget. Raises Fail with what was expected."""
    from wireproof.plan import Budget

    parsed: dict[str, Any] = {}
    for part in filter(None, (text or "").split(",")):
        name, _, value = part.partition("=")
        try:
            parsed[name] = BUDGET_KEYS[name.strip()](value)
            if not 0 <= parsed[name] < float("inf"):
                raise ValueError
        except (KeyError, ValueError) as bad:
            raise Fail(f"--budget: expected calls=N, tokens=N or usd=X, got {part!r}") from bad
    return Budget(**parsed)


def parse_models(pairs: tuple[str, ...]) -> dict[str, str]:
    """`image=gpt-image-2` as {"image": "gpt-image-2"}. Raises Fail with what was expected."""
    found: dict[str, str] = {}
    for pair in pairs:
        kind, _, name = pair.partition("=")
        if kind not in OTHER_KINDS or not name:
            raise Fail(f"--model-for: expected one of {', '.join(OTHER_KINDS)}, '=' and an id, got {pair!r}")
        found[kind] = name
    return found


def key_from(variable: str) -> str | None:
    key = os.environ.get(variable, "").strip()
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise Fail(f"{variable}: expected a key of printable ASCII characters, got one with others")
    return key or None


def checked_url(base_url: str) -> str:
    """The URL without its closing slash. Raises Fail when it is no http(s) URL, or holds credentials."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(base_url)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        fits = False
    if not fits:
        raise Fail(f"--base-url: expected a URL such as http://127.0.0.1:8000/v1, got {base_url!r}")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise Fail(
            "--base-url: expected no credentials, query or fragment in the URL; the key comes from the environment"
        )
    return base_url.rstrip("/")


def order_from(options: dict[str, Any], target: Target, models: Models, *, standin: bool, **more: Any) -> Order:
    from wireproof.order import Order
    from wireproof.profiles import DEFAULT, EVERYTHING

    cases = options["cases"]
    return Order(
        target=target,
        models=models,
        only=options["only"],
        profiles=options["profiles"] or ((EVERYTHING,) if standin or options["only"] else DEFAULT),
        level=options["level"],
        cases=(STANDIN_CASES if standin and not options["only"] else 0) if cases is None else cases,
        seed=options["seed"],
        budget=parse_budget(options["budget"]),
        contracts=options["contracts"],
        **more,
    )


def terms(options: dict[str, Any]) -> dict[str, Any]:
    """What an order of certify says beyond what `plan` needs to know: how to send, and what counts."""
    from wireproof.fetch import Bounds

    return {
        "fail_on": options["fail_on"].upper(),
        "requirements": options["requirements"],
        "dialect": options["dialect"],
        "claims": read_features(options["claims"]),
        "samples": options["samples"],
        "gate": options["concurrency"],
        "bounds": Bounds(total_s=options["timeout"], idle_s=min(60.0, options["timeout"])),
        "key_variable": options["api_key_env"],
    }


def remote(options: dict[str, Any], *, ask: bool = True) -> tuple[Target, Models]:
    """The target and its models; those that were not named are looked up with GET /models when `ask`."""
    from wireproof.fetch import Target
    from wireproof.plan import Models

    target = Target(checked_url(options["base_url"]), key_from(options["api_key_env"]))
    chat, embedding, completion = options["model"], options["embedding_model"], options["completion_model"]
    if ask and not chat:
        chat, found = _only_chat_model(target, options["api_key_env"])
        embedding = embedding or found
    return target, Models(chat, embedding, completion or chat, parse_models(options["models_for"]))


def standin_models(options: dict[str, Any]) -> Models:
    """The stand-in's own models, where no other is named."""
    from wireproof.plan import Models
    from wireproof.standin.catalogue import DEFAULT_MODEL, served

    known: dict[str, str] = {}
    for model in served().values():
        known.setdefault(model.kind, model.id)
    return Models(
        options["model"] or DEFAULT_MODEL,
        options["embedding_model"] or known["embedding"],
        options["completion_model"] or known["completion"],
        {kind: known[kind] for kind in OTHER_KINDS if kind in known} | MOST_ABLE | parse_models(options["models_for"]),
    )


def key_refused(target: Target, variable: str, refused: BaseException) -> Fail:
    held = f"the key in {variable}" if target.key else f"a key in {variable}, which is not set"
    return Fail(f"expected the target to take {held}; {refused}")


def _only_chat_model(target: Target, variable: str) -> tuple[str, str | None]:
    """The one chat model the target lists, and the embedding model if it lists one."""
    from wireproof.fetch import KeyRefused, Unreachable, listed_models

    try:
        ids = asyncio.run(listed_models(target))
    except Unreachable as nobody:
        raise Fail(str(nobody), UNREACHABLE) from nobody
    except KeyRefused as refused:
        raise key_refused(target, variable, refused) from refused
    embeddings = [name for name in ids if "embed" in name.lower()]
    others = [name for name in ids if name not in embeddings]
    if len(others) != 1:
        listed = (
            f"GET /models lists {', '.join(others[:8])}{' …' if len(others) > 8 else ''}"
            if others
            else "none is listed"
        )
        raise Fail(f"--model: expected the id of a chat model, because {listed}")
    return others[0], embeddings[0] if embeddings else None
