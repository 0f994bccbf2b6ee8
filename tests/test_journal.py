"""The journal: what goes in comes out, and a torn end loses nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made import answer

from wireproof.clause import Chunk, Exchange, Request, Trouble
from wireproof.journal import BadJournal, Journal, as_json, from_json, read_journal
from wireproof.judge import Planned

names = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12)
headers = st.lists(st.tuples(names, names), max_size=4).map(tuple)
times = st.floats(0, 1e4).map(lambda at_s: round(at_s, 6))
troubles = st.none() | st.builds(Trouble, names, names, st.booleans())
exchanges = st.builds(
    Exchange,
    probe=names,
    step=st.integers(0, 9),
    attempt=st.integers(1, 3),
    operation=st.none() | names,
    request=st.builds(
        Request, names, names, st.dictionaries(names, names, max_size=2), headers, st.binary(max_size=50)
    ),
    status=st.none() | st.integers(100, 599),
    headers=headers,
    chunks=st.lists(st.builds(Chunk, times, st.binary(max_size=50)), max_size=4).map(tuple),
    started_unix=times,
    headers_at_s=st.none() | times,
    ended_at_s=times,
    trouble=troubles,
)


@given(exchanges)
def test_an_exchange_written_and_read_is_the_same(exchange: Exchange) -> None:
    assert from_json(as_json(exchange)) == exchange


SPEND = {"calls": 2, "tokens": 0, "usd": None, "wall_s": 0.1}
ABOUT = {"target": {"base_url": "http://t/v1"}, "started": "2026-11-01T00:00:00+00:00"}


def written(path: Path) -> None:
    with Journal(path) as journal:
        journal.header(ABOUT, [Planned("a", "createChatCompletion", {"n": 2}), Planned("b"), Planned("c")])
        journal.sent("a", 0, 1)
        journal.exchange(answer({}, probe="a"))
        journal.sent("b", 0, 1)
        journal.unsent("c", "the budget is spent")


def test_a_run_is_read_as_it_went(tmp_path: Path) -> None:
    written(tmp_path / "j.jsonl")
    run = read_journal(tmp_path / "j.jsonl")
    assert [exchange.id for exchange in run.exchanges] == ["a"]
    assert run.lost == (("b", 0, 1),)
    assert run.footer is None
    assert [(p.probe, p.unsent) for p in run.planned] == [("a", None), ("b", None), ("c", "the budget is spent")]
    assert run.planned[0].asked == {"n": 2}


def test_a_torn_last_line_is_dropped_and_written_over(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    written(path)
    with path.open("a") as file:
        file.write('{"type": "exchange", "probe": "b", "st')
    assert len(read_journal(path).exchanges) == 1
    with Journal(path, resume=True) as journal:
        journal.exchange(answer({}, probe="b"))
        journal.footer(reason="complete", spend=SPEND)
    run = read_journal(path)
    assert [exchange.id for exchange in run.exchanges] == ["a", "b"]
    assert run.lost == ()
    assert run.footer is not None


def test_a_probe_that_was_given_up_and_answered_on_resume_counts_as_answered(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    written(path)
    with Journal(path, resume=True) as journal:
        journal.exchange(answer({}, probe="c"))
    assert read_journal(path).unsent == {}


def test_exchanges_are_read_in_order_of_sending(tmp_path: Path) -> None:
    with Journal(tmp_path / "j.jsonl") as journal:
        journal.header(ABOUT, [])
        for probe in "abc":
            journal.sent(probe, 0, 1)
        for probe in "cab":
            journal.exchange(answer({}, probe=probe))
    run = read_journal(tmp_path / "j.jsonl")
    assert [exchange.probe for exchange in run.exchanges] == ["a", "b", "c"]
    assert run.sent == 3


def test_half_a_surrogate_pair_is_written_and_read(tmp_path: Path) -> None:
    with Journal(tmp_path / "j.jsonl") as journal:
        journal.header(ABOUT, [Planned("a", asked={"model": "\udcff"})])
        journal.unsent("a", "\ud83d\n")
    [planned] = read_journal(tmp_path / "j.jsonl").planned
    assert (planned.asked, planned.unsent) == ({"model": "\udcff"}, "\ud83d\n")


HEADER = '{"type": "header", "schema_version": 1, "target": {"base_url": "http://t"}, "started": "", "plan": [%s]}\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "starts with a header line"),
        ("hello\n", "line 1"),
        ('{"type": "header", "schema_version": 99}\n', "line 1"),
        (HEADER % "" + '{"type": "exchange"}\n', "line 2"),
        (HEADER % "" + '{"type": "footer", "reason": "complete", "spend": {}}\n', "line 2"),
        (HEADER % '{"probe": "a", "colour": "red"}', "line 1"),
        ('{"type": "header", "schema_version": 1, "plan": []}\n', "line 1"),
        ("[" * 100_000 + "\n", "line 1"),
        ("[]\n", "line 1"),
    ],
)
def test_a_file_that_is_no_journal_is_named_with_the_line(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "j.jsonl").write_text(text)
    with pytest.raises(BadJournal, match=said):
        read_journal(tmp_path / "j.jsonl")


def test_a_request_that_lost_its_answer_and_was_asked_again_is_told(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    written(path)
    with Journal(path, resume=True) as journal:
        journal.sent("b", 0, 1)
        journal.exchange(answer({}, probe="b"))
    run = read_journal(path)
    assert (run.lost, run.asked_again) == ((), (("b", 0, 1),))
