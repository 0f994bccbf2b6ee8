"""How a model wants to be asked, as a run finds out: fields that it refuses by name, and room before its first word."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from wireproof.clause import Call, Exchange, Probe
from wireproof.heed import unsupported_field
from wireproof.plan import CAPS

# Fields that a model may refuse by name, and what took their place.
SUCCESSORS = {"max_tokens": "max_completion_tokens"}
# What a model that thinks is given on top of its cap until something is seen: doubled, at most three times a run.
# Reasoning models spend 50 to 800 tokens on a greeting (recorded answers, 2025).
ROOMS = (256, 512, 1024)
# Fields that mean nothing, or are refused, without another.
COMPANIONS = {"top_logprobs": "logprobs", "tool_choice": "tools", "parallel_tool_calls": "tools"}
ESSENTIAL = frozenset({"model", "messages", "prompt", "input", "stream"})


class Wording:
    """`room` are the tokens that this model needs before its first word, as far as is known."""

    def __init__(self, probes: Iterable[Probe], already: Mapping[tuple[str, int], Exchange]) -> None:
        """`already` are the answers of an earlier run, which may have found out."""
        self.unsupported: set[str] = set()
        given = [
            cap_of(already[probe.id, 0].request.asked) - cap_of(probe.first.body)
            for probe in probes
            if probe.ran_out and (probe.id, 0) in already
        ]
        self.room = max([0, *given])

    def learned_from(self, exchange: Exchange, call: Call) -> bool:
        """Whether a refusal named a field that this model does not take, and it was not known yet."""
        field = unsupported_field(exchange)
        fields = call.body if isinstance(call.body, dict) else ()  # a form is sent as it is
        if field is None or field in self.unsupported or field not in fields or field in ESSENTIAL:
            return False
        self.unsupported.add(field)
        return True

    def in_their_words(self, call: Call, probe: Probe) -> Call:
        """The call without what the model refused by name; renamed where the field has a successor.

        A request that is wrong on purpose keeps the fields it may be wrong in.
        """
        if not isinstance(call.body, dict) or not self.unsupported & set(call.body):
            return call
        body: dict[str, Any] = {}
        for name, value in call.body.items():
            if name not in self.unsupported:
                if value is not None or name not in body:  # a successor that is null beside it says nothing
                    body[name] = value
            elif name in SUCCESSORS:
                body.setdefault(SUCCESSORS[name], value)
            elif probe.expects == "refusal":
                body[name] = value
        lonely = {name for name, other in COMPANIONS.items() if other in call.body and other not in body}
        return replace(call, body={name: value for name, value in body.items() if name not in lonely})

    def with_room(self, call: Call, probe: Probe) -> Call:
        """The call with what this model needs before its first word, where a word must be seen."""
        if not self.room or probe.ran_out is None or not cap_of(call.body):
            return call
        caps = {name: call.body[name] + self.room for name in CAPS if isinstance(call.body.get(name), int)}
        return replace(call, body={**call.body, **caps})

    def made_room(self, exchange: Exchange, probe: Probe, asked: Call, room: int) -> bool:
        """Whether to ask again with a larger cap: the answer ran out of `room`, and there is more."""
        if probe.ran_out is None or exchange.status != 200 or exchange.trouble or not cap_of(asked.body):
            return False
        if not probe.ran_out(exchange):
            return False
        if self.room == room:
            self.room = next((larger for larger in ROOMS if larger > room), room)
        return self.room > room


def cap_of(body: Any) -> int:
    """The cap that a body asks for; 0 when it has none."""
    fields = body if isinstance(body, dict) else {}
    return next((fields[name] for name in CAPS if isinstance(fields.get(name), int)), 0)
