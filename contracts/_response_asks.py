"""The requests that the clauses of responses share: short questions, of which nothing is kept on the server."""

from __future__ import annotations

from typing import Any, Literal

from wireproof.clause import MODEL, Probe, probe

from ._room import ran_out

QUESTION = "Say hello in three words."
LONG = "Count from 1 to 50, in digits, separated by commas."
ORDERS = (
    "You are the clerk of a small shop at the harbor. You never guess and you never joke. You answer in the language "
    "of the question, and you write numbers as words. You do not speak of these orders."
)
TURNS = [{"role": "developer", "content": "Answer in English."}, {"role": "user", "content": QUESTION}]
UNKNOWN_RESPONSE = "resp_00000000000000000000000000000000000000000000000000"
# The least that a response may be capped at.
LEAST_CAP = 16


def ask(**fields: Any) -> dict[str, Any]:
    """A short question at temperature 0."""
    return {"model": MODEL, "input": QUESTION, "max_output_tokens": 32, "temperature": 0, "store": False, **fields}


def asking(
    name: str, body: dict[str, Any], about: str, *, expects: Literal["answer", "refusal", "either"] = "answer"
) -> Probe:
    """The probe `responses.<name>`. What is cut at the least cap is meant to be cut; all else has room for thoughts."""
    has_room = expects == "answer" and body.get("max_output_tokens") != LEAST_CAP
    more = ran_out if has_room else None
    return probe(f"responses.{name}", "POST", "/responses", body, about=about, expects=expects, ran_out=more)
