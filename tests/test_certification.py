"""A certification from order to journal, in memory: what a run that was cut off leaves, and how it goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wireproof.certification import load_contracts, prepare, report_of, run
from wireproof.fetch import KeyRefused, Target
from wireproof.journal import Run, read_journal
from wireproof.order import Order, WrongOrder
from wireproof.plan import Budget, Models
from wireproof.record import Recorded, RecordEvent, Sent, Waiting
from wireproof.standin.virtual import VirtualClock, VirtualTransport
from wireproof.standin.wire import Ask, Serve, json_answer, refusal

ONLY = ("chat.n", "chat.stop")
MODELS = Models("gpt-4.1-mini")


class Killed(KeyboardInterrupt):
    """As abrupt as a kill can be without a process."""


def certified(
    serve: Serve,
    out: Path,
    listen: Callable[[RecordEvent], None] = lambda event: None,
    *,
    resume: bool = False,
    models: Models = MODELS,
    only: tuple[str, ...] = ONLY,
    **more: Any,
) -> tuple[Run, VirtualTransport]:
    order = Order(Target("http://standin/v1", "sk-looks-fake-0123"), models, only=only, gate=1, **more)
    _, plan = prepare(order)
    clock = VirtualClock()
    transport = VirtualTransport(serve, clock)
    recorder: dict[str, Any] = {"transport": transport, "clock": clock, "wall": clock, "sleep": clock.sleep}
    return run(order, plan, out, listen, resume=resume, **recorder), transport


def ok(ask: Ask) -> Any:
    return json_answer({"usage": {"prompt_tokens": 8, "completion_tokens": 2}})


def kill_at(event_type: type[RecordEvent], number: int = 1) -> Callable[[RecordEvent], None]:
    """A listener that does not live past the event of this number."""
    seen: list[RecordEvent] = []

    def listen(event: RecordEvent) -> None:
        if isinstance(event, event_type):
            seen.append(event)
            if len(seen) == number:
                raise Killed

    return listen


def test_a_run_with_the_wrong_key_goes_on_with_the_right_one(tmp_path: Path) -> None:
    with pytest.raises(KeyRefused):
        certified(lambda ask: refusal(401, "not you"), tmp_path)
    resumed, _ = certified(ok, tmp_path, resume=True)
    assert {e.status for e in resumed.exchanges} == {200}
    assert resumed.lost == ()
    with pytest.raises(KeyRefused):
        certified(lambda ask: refusal(401, "not you"), tmp_path / "again")


def test_a_key_that_is_refused_on_resume_ends_the_run_before_it_spoils_the_journal(tmp_path: Path) -> None:
    with pytest.raises(Killed):
        certified(ok, tmp_path, kill_at(Recorded))
    with pytest.raises(KeyRefused):
        certified(lambda ask: refusal(401, "not you"), tmp_path, resume=True)
    assert {e.status for e in read_journal(tmp_path / "journal.jsonl").exchanges} == {200}


def test_a_run_that_was_killed_while_it_waited_asks_again(tmp_path: Path) -> None:
    with pytest.raises(Killed):
        certified(lambda ask: refusal(429, "slow down").with_header("retry-after", "3"), tmp_path, kill_at(Waiting))
    resumed, _ = certified(ok, tmp_path, resume=True)
    waited = resumed.exchanges[0].probe
    assert [(e.id, e.status) for e in resumed.exchanges if e.probe == waited] == [(waited, 429), (f"{waited}~2", 200)]


def test_what_was_under_way_at_a_kill_is_spent(tmp_path: Path) -> None:
    with pytest.raises(Killed):
        certified(ok, tmp_path, kill_at(Sent, 2))
    path = tmp_path / "journal.jsonl"
    assert read_journal(path).footer is not None
    whole, torn = path.read_text(), path.read_text().splitlines(keepends=True)[:-1]
    for text in (whole, "".join(torn)):  # interrupted, and killed before it could write a footer
        path.write_text(text)
        resumed, transport = certified(ok, tmp_path, resume=True, budget=Budget(calls=2))
        assert transport.seen == []
        assert resumed.footer is not None
        assert resumed.footer["spend"]["calls"] == 2


@pytest.mark.parametrize(
    "about",
    [{}, {"backend": "the stand-in", "faults": "other"}, {"backend": "the stand-in", "faults": "one, other"}],
    ids=["a remote", "another fault", "one more fault"],
)
def test_a_journal_of_another_backend_is_not_gone_on_with(about: dict[str, str], tmp_path: Path) -> None:
    certified(ok, tmp_path, about={"backend": "the stand-in", "faults": "one"})
    with pytest.raises(WrongOrder, match="belongs to the stand-in with one, not"):
        certified(ok, tmp_path, resume=True, about=about)


def test_a_run_with_an_unpriced_model_says_what_the_rest_cost_at_least(tmp_path: Path) -> None:
    asked: dict[str, Any] = {"models": Models("gpt-4.1-mini", "who-knows"), "only": ("chat.n", "embeddings.schema")}
    recorded, _ = certified(ok, tmp_path, **asked)
    alone, _ = certified(ok, tmp_path / "alone", **{**asked, "only": ("chat.n",)})
    spend, rest = (report_of(one, load_contracts()[0]).spend for one in (recorded, alone))
    assert (spend.usd, spend.usd_at_least) == (None, rest.usd)
    assert (spend.price, rest.price) == (f"at least {rest.price}", f"${rest.usd_at_least:.4f}")
