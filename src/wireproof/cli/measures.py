"""By what a backend is measured beside the contract, as certify and judge share it: `--dialect` and `--claims`."""

from __future__ import annotations

from pathlib import Path

import click

from wireproof.cli import Fail

dialect_option = click.option(
    "--dialect",
    metavar="NAME",
    help="Relax what this backend does otherwise on purpose: azure, vllm, litellm, llamacpp, ollama, openrouter.",
)
claims_option = click.option(
    "--claims",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The features it claims to serve (YAML, as `plan --claims-template` prints it); others must be refused.",
)


def read_features(path: Path | None) -> dict[str, bool] | None:
    """The claims of the file, None without one. Raises Fail before anything is sent."""
    if path is None:
        return None
    from wireproof.claims import BadClaims, features, read_claims
    from wireproof.spec import load_spec

    try:
        return read_claims(path, features(load_spec().catalogue("features")))
    except BadClaims as wrong:
        raise Fail(f"--claims: {wrong}") from wrong


def claims_template() -> str:
    from wireproof.claims import features, template
    from wireproof.spec import load_spec

    return template(features(load_spec().catalogue("features")).values())
