"""Streamed chat: the order in which a choice is told, from its role to its finish.

A stream is read as symbols (`role`, `content`, `finish`), each of one choice; every law of order is a small automaton
over them. The requests are those of chat_stream.py.
"""

from __future__ import annotations

from wireproof.clause import Exchange, Inconclusive, Machine, answered, clause, expect

from ._chat_stream import error_event, index_of, last_event, said_in, symbols_of

CHAT = "createChatCompletion"
STREAM = answered(CHAT, streamed=True)


# ------------------------------------------------------------------------------------------- the automata


# Each choice says who speaks before it says anything.
ROLE_FIRST = Machine(
    "unheard",
    {
        "unheard": {"role assistant": "heard"},
        "heard": dict.fromkeys(("role assistant", "other role", "content", "finish"), "heard"),
    },
)
ROLE_ONCE = Machine(
    "unheard",
    {"unheard": dict.fromkeys(("role assistant", "other role"), "heard"), "heard": {}},
)
FINISHES = Machine(
    "open",
    {"open": {"content": "open", "finish": "finished"}, "finished": {"content": "finished", "finish": "finished"}},
    final=frozenset({"finished"}),
)
FINISHES_ONCE = Machine("open", {"open": {"finish": "finished"}, "finished": {}})
SILENT_AFTER_FINISH = Machine(
    "open",
    {
        "open": {"role assistant": "open", "other role": "open", "content": "open", "finish": "finished"},
        "finished": {"finish": "finished"},
    },
)


def _expect_order(machine: Machine, exchange: Exchange, rule: str) -> None:
    """`rule` says what is expected; its braces take the choice, and what the automaton would have taken."""
    symbols = list(symbols_of(exchange))
    if not symbols:
        raise Inconclusive("no chunk says anything")
    offence = machine.first_offence(symbols)
    if offence is not None:
        expected = rule.format(offence.key, " or ".join(offence.expected))
        expect(False, expected=expected, got=offence.got, at="/choices", event=offence.at)


# ----------------------------------------------------------------------------------------------- the laws


@clause("chat.stream.role", level="MUST", source="SPEC example; CAP-OTEL; CAP-2510", on=STREAM)
def each_choice_begins_with_its_role(exchange: Exchange) -> None:
    """The first delta of each choice has `role: "assistant"`, alone or together with its first content.

    A client that builds the message from the deltas has no role to send it back with otherwise.
    """
    _expect_order(ROLE_FIRST, exchange, "as the first delta of choice {}: {}")


@clause("chat.stream.role-once", level="SHOULD", source="CAP-OTEL; CAP-2510; SDK accumulate_delta", on=STREAM)
def role_is_not_repeated(exchange: Exchange) -> None:
    """After the first delta of a choice none has a role.

    Clients join the strings of deltas, the official SDK's accumulator too: `assistantassistantassistant`.
    """
    _expect_order(ROLE_ONCE, exchange, "no further role in choice {}")


@clause("chat.stream.finish", level="MUST", source="SPEC finish_reason; CAP-2510", on=STREAM)
def each_choice_finishes(exchange: Exchange) -> None:
    """Each choice ends with a chunk that has its `finish_reason`.

    It tells a whole answer from one that was cut, and starts the tool calls of an agent.
    """
    if error_event(exchange) is not None:
        raise Inconclusive("the stream broke off with an error")
    choices = dict.fromkeys(index_of(said.choice) for said in said_in(exchange)) or (0,)
    offence = FINISHES.first_offence(symbols_of(exchange), choices)
    if offence is not None:
        at = last_event(exchange) if offence.at is None else offence.at
        expect(False, expected=f"a finish_reason for choice {offence.key}", got="the end of the stream", event=at)


@clause("chat.stream.finish-once", level="MUST", source="SPEC finish_reason; CAP-2510", on=STREAM)
def each_choice_finishes_once(exchange: Exchange) -> None:
    """One chunk of each choice has a `finish_reason`, no more.

    Clients act on it: an agent that sees it twice runs its tools twice.
    """
    _expect_order(FINISHES_ONCE, exchange, "one finish_reason for choice {}")


@clause("chat.stream.after-finish", level="MUST", source="SPEC finish_reason; CAP-2510", on=STREAM)
def nothing_follows_the_finish(exchange: Exchange) -> None:
    """After its `finish_reason` nothing more is said in a choice: clients have closed it, and lose what follows."""
    _expect_order(SILENT_AFTER_FINISH, exchange, "nothing more in choice {}")
