"""By what a backend is measured beside the contract, as certify and judge share it: `--dialect`."""

from __future__ import annotations

import click

dialect_option = click.option(
    "--dialect",
    metavar="NAME",
    help="Relax what this backend does otherwise on purpose: azure, vllm, litellm, llamacpp, ollama, openrouter.",
)
