"""Planning: which probes feed which clauses, in whose names, at what price."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from certified import certified, standin_plan

from wireproof.certification import load_contracts
from wireproof.clause import (
    EMBEDDING_MODEL,
    IMAGE_MODEL,
    MODEL,
    NO_MODEL,
    Call,
    Clause,
    File,
    Flow,
    answered,
    flow,
    form,
    probe,
    sent,
)
from wireproof.heed import actual_cost
from wireproof.plan import Cost, Models, bind, call_cost, encoded, make_plan, select
from wireproof.price import seconds_of_sound, usd
from wireproof.profiles import in_profiles
from wireproof.spec import load_spec
from wireproof.standin.call import Upload
from wireproof.standin.forms import parts

CHAT: dict[str, Any] = {"model": MODEL, "messages": [{"role": "user", "content": "x" * 400}], "max_tokens": 10}


def a_clause(id: str = "a.b", on: Any = None) -> Clause:
    return Clause(id, "MUST", "A promise.", "SPEC", on or sent(), "none", lambda *exchanges: None)


def a_probe(id: str, body: Any = None, **more: Any) -> Any:
    return probe(id, "POST", "/chat/completions", body or CHAT, about="a test", **more)


def test_only_probes_that_feed_a_clause_are_planned() -> None:
    many = a_clause(on=answered(asks=lambda body: body.get("n") == 2))
    plan = make_plan(load_spec(), [many], [a_probe("one"), a_probe("two", {**CHAT, "n": 2})], Models("m"))
    assert [planned.id for planned in plan.probes] == ["two"]


def test_what_cannot_be_asked_is_left_out_with_the_option_that_would_bring_it() -> None:
    probes = [a_probe("e", {"model": EMBEDDING_MODEL, "input": "x"}, needs=EMBEDDING_MODEL), a_probe("k", auth="cut")]
    plan = make_plan(load_spec(), [a_clause()], probes, Models("m"), has_key=False)
    assert {left.probe: left.unsent for left in plan.left_out} == {
        "e": "no embedding model was named (--embedding-model)",
        "k": "no API key was given, so keys cannot be judged",
    }
    assert all(left.declined for left in plan.planned())


def test_models_of_further_kinds_fill_their_placeholders_where_they_were_named() -> None:
    picture = probe("i", "POST", "/images/generations", {"model": IMAGE_MODEL}, about="a test", needs=IMAGE_MODEL)
    files = probe("f", "GET", "/files", about="a test", needs=NO_MODEL)
    named = make_plan(load_spec(), [a_clause()], [picture, files], Models(others={"image": "i-1"}))
    assert [one.id for one in named.probes] == ["i", "f"]
    assert bind(picture.first, named.models).body == {"model": "i-1"}
    unnamed = make_plan(load_spec(), [a_clause()], [picture, files], Models())
    assert [one.id for one in unnamed.probes] == ["f"]
    assert unnamed.left_out[0].unsent == "no image model was named (--model-for image=ID)"


def test_a_form_is_the_same_bytes_each_time_and_reads_as_one() -> None:
    call = form("/files", [("purpose", "batch"), ("file", File("a.jsonl", b"{}\n", "application/jsonl"))])
    assert call == form("/files", [("purpose", "batch"), ("file", File("a.jsonl", b"{}\n", "application/jsonl"))])
    read = parts(encoded(call), call.headers["content-type"])
    assert read == [("purpose", "batch"), ("file", Upload("a.jsonl", "application/jsonl", b"{}\n"))]


@pytest.mark.parametrize(
    ("path", "bound"),
    [("/models/$chat-model", "/models/org%2Fname:8b"), ("/chat/completions", "/chat/completions")],
)
def test_a_models_name_is_encoded_in_a_path_as_the_official_sdk_does(path: str, bound: str) -> None:
    assert bind(Call("GET", path), Models("org/name:8b")).path == bound
    assert load_spec().operation_for("GET", "/models/org%2Fname:8b") is not None


def test_placeholders_are_filled_wherever_they_stand_and_other_text_is_left_alone() -> None:
    call = Call("POST", "/x", {"a": [{"model": MODEL}], "b": f"not {MODEL}"}, {"model": MODEL})
    bound = bind(call, Models("m"))
    assert bound.body == {"a": [{"model": "m"}], "b": f"not {MODEL}"}
    assert bound.query == {"model": "m"}


def test_a_body_is_sent_as_utf8_json_or_as_the_bytes_it_is() -> None:
    assert encoded(Call("POST", "/x", {"a": "é"})) == '{"a": "é"}'.encode()
    assert encoded(Call("POST", "/x", b'{"torn')) == b'{"torn'
    assert encoded(Call("GET", "/x")) == b""


@pytest.mark.parametrize(
    ("fields", "completion"),
    [({}, 10), ({"n": 3}, 30), ({"max_completion_tokens": 4}, 4), ({"max_tokens": None}, 256)],
)
def test_a_price_counts_every_choice_to_its_cap(fields: dict[str, Any], completion: int) -> None:
    cost = call_cost(
        load_spec(), Call("POST", "/chat/completions", {**CHAT, **fields, "model": "gpt-4.1-mini"}), "answer"
    )
    assert cost.completion_tokens == completion
    assert 200 <= cost.prompt_tokens <= 220
    assert cost.usd == usd(load_spec(), "gpt-4.1-mini", cost.prompt_tokens, completion)


def test_what_must_be_refused_costs_nothing_and_an_unknown_model_has_no_price() -> None:
    call = Call("POST", "/chat/completions", {**CHAT, "model": "who-knows"})
    assert call_cost(load_spec(), call, "refusal") == Cost(1)
    assert call_cost(load_spec(), call, "answer").usd is None
    assert (Cost(1, usd=0.5) + Cost(1, usd=None) + Cost(1, usd=0.25)) == Cost(3, usd=None, known=0.75)


IMAGE = {"model": "gpt-image-1", "prompt": "x" * 38}  # 20 tokens, at most
SOUND = File("a.wav", b"RIFF" + (48_000).to_bytes(4, "little") + b"WAVEfmt " + bytes(12) + (8_000).to_bytes(4, "little")
             + bytes(48_000), "audio/wav")  # six seconds  # fmt: skip


@pytest.mark.parametrize(
    ("path", "body", "dollars"),
    [
        ("/images/generations", {**IMAGE, "quality": "low", "size": "1024x1024", "n": 2}, 0.0221),
        ("/images/generations", {**IMAGE, "quality": "low"}, 0.0161),  # the dearest size
        ("/images/generations", IMAGE, 0.2501),
        ("/images/generations", {**IMAGE, "quality": "low", "size": "1024x1024", "partial_images": 2}, 0.0191),
        ("/images/generations", {"model": "gpt-image-2.5-flare", "prompt": "x"}, None),
        ("/audio/speech", {"model": "gpt-4o-mini-tts", "input": "x"}, None),
        ("/moderations", {"model": "omni-moderation-latest", "input": "x"}, 0.0),
        ("/videos", {"model": "sora-2", "seconds": "4"}, 0.4),
        ("/videos", {"model": "sora-2"}, None),
        ("/audio/transcriptions", [("model", "whisper-1"), ("file", SOUND)], 0.0006),
        ("/audio/transcriptions", [("model", "whisper-1"), ("file", File("a.mp3", b"ID3"))], None),
        ("/images/edits", [("model", "gpt-image-1"), ("quality", "low"), ("size", "1024x1024")], 0.011),
    ],
)
def test_pictures_sound_and_video_have_the_prices_of_their_models(path: str, body: Any, dollars: float | None) -> None:
    call = form(path, body) if isinstance(body, list) else Call("POST", path, body)
    cost = call_cost(load_spec(), call, "either")
    assert cost.usd == (None if dollars is None else pytest.approx(dollars, abs=1e-6))


def test_bytes_that_are_no_recording_have_no_length() -> None:
    assert [seconds_of_sound(data) for data in (b"", b"RIFF", b"RIFF1234WAVEfmt ", SOUND.data[:28] + bytes(9))] == [
        None
    ] * 4


def test_a_plan_says_what_it_costs_at_least_where_a_price_is_missing() -> None:
    priced, unpriced = (a_probe(id, {**CHAT, "model": model}) for id, model in (("a", "gpt-4.1-mini"), ("b", "who")))
    plan = make_plan(load_spec(), [a_clause()], [priced, unpriced], Models("m"))
    assert (plan.unpriced, plan.price) == (("b",), "at least $0.0001; 1 probe has no published price")
    assert make_plan(load_spec(), [a_clause()], [priced], Models("m")).price == "$0.0001"


def test_a_flow_is_priced_by_all_that_makes_a_model_speak() -> None:
    calls = [Call("POST", "/chat/completions", CHAT), Call("GET", "/models"), Call("POST", "/embeddings", CHAT)]

    def ask() -> Flow:
        yield from calls

    def cost(paid: int | tuple[Call, ...]) -> Cost:
        made = flow("a.flow", most=3, about="a test", paid=paid)(ask)
        return make_plan(load_spec(), [a_clause()], [made], Models("gpt-4.1-mini")).cost

    assert cost(2).prompt_tokens == 2 * cost(1).prompt_tokens
    both = cost((calls[0], calls[2]))
    assert (both.calls, both.prompt_tokens, both.completion_tokens) == (3, cost(2).prompt_tokens, 10)


def test_no_probe_costs_more_than_its_plan_says() -> None:
    plan = standin_plan()
    spent: dict[str, Cost] = {}
    for one in certified(plan=plan).exchanges:
        probe = one.probe.partition("@")[0]
        spent[probe] = spent.get(probe, Cost()) + actual_cost(load_spec(), one, Cost(1))
    for probe, cost in spent.items():
        most = plan.costs[probe]
        assert cost.calls <= most.calls, probe
        assert cost.prompt_tokens <= most.prompt_tokens, probe
        assert most.usd is None or (cost.usd is not None and cost.usd <= most.usd), probe


def test_a_talk_of_which_a_part_has_no_price_costs_at_least_the_rest() -> None:
    plan = standin_plan(profiles=["realtime"])
    talk = next(one for one in certified(plan=plan).exchanges if one.probe == "realtime.text")
    known = actual_cost(load_spec(), talk, Cost(1, 9, 9, 0.01))
    partly = actual_cost(load_spec(), talk, Cost(1, 9, 9, None, 0.01))
    assert known.usd is not None and known.usd > 0
    assert (partly.usd, partly.usd_at_least) == (None, known.usd)


def test_the_core_profile_costs_less_than_two_cents_of_a_small_model() -> None:
    catalogue = load_spec().catalogue("profiles")
    clauses, probes = load_contracts()
    models = Models("gpt-5.4-nano", "text-embedding-3-small", "gpt-5.4-nano")
    chosen = in_profiles(clauses, ["core"], catalogue)
    plan = make_plan(load_spec(), chosen, in_profiles(probes, ["core"], catalogue), models)
    assert plan.cost.calls <= 120
    assert plan.cost.usd is not None
    assert plan.cost.usd < 0.02


def test_a_snapshot_costs_what_its_model_costs() -> None:
    assert usd(load_spec(), "gpt-4.1-mini-2025-04-14", 1000, 0) == usd(load_spec(), "gpt-4.1-mini", 1000, 0)


def test_selection_is_by_glob_and_by_what_is_below() -> None:
    clauses = [a_clause(id) for id in ("chat.n", "chat.stream.done", "chat.stream.role", "errors.range")]
    chosen = {only: [clause.id for clause in select(clauses, [only])] for only in ("chat.stream", "*.range", "chat.n")}
    assert chosen == {
        "chat.stream": ["chat.stream.done", "chat.stream.role"],
        "*.range": ["errors.range"],
        "chat.n": ["chat.n"],
    }
    assert select(clauses, []) == clauses


def test_every_prompt_of_a_list_is_completed_and_a_body_in_bytes_is_priced_too() -> None:
    two = Call("POST", "/completions", {"model": "m", "prompt": ["a", "b"], "n": 2, "max_tokens": 3})
    assert call_cost(load_spec(), two, "answer").completion_tokens == 12
    raw = Call("POST", "/chat/completions", encoded(Call("POST", "/chat/completions", CHAT)))
    assert call_cost(load_spec(), raw, "answer").prompt_tokens > 200


def test_the_plan_of_a_certification_is_an_upper_bound_of_what_the_stand_in_counts() -> None:
    plan = standin_plan()
    spent = [actual_cost(load_spec(), exchange, Cost(1)) for exchange in certified().exchanges]
    assert sum(cost.tokens for cost in spent) <= plan.cost.tokens
    assert len(spent) <= plan.cost.calls


@pytest.mark.parametrize(
    ("path", "body", "completion"),
    [
        ("/responses", {"model": "m", "input": "Hi", "max_output_tokens": 32}, 32),
        ("/responses", {"model": "m", "input": "Hi"}, 256),
        ("/embeddings", {"model": "m", "input": "Hi"}, 0),
        ("/moderations", {"model": "m", "input": "Hi"}, 0),
        ("/conversations", {"items": [{"role": "user", "content": "Hi"}]}, 0),
    ],
)
def test_only_what_is_written_costs_more_than_it_was_asked(path: str, body: Any, completion: int) -> None:
    assert call_cost(load_spec(), Call("POST", path, body), "answer").completion_tokens == completion


def test_instructions_and_formats_are_part_of_the_price() -> None:
    bare = {"model": "m", "input": "Hi"}
    more = {**bare, "instructions": "x" * 100, "text": {"format": {"type": "json_object"}}}
    prices = [call_cost(load_spec(), Call("POST", "/responses", body), "answer").prompt_tokens for body in (bare, more)]
    assert prices[1] > prices[0] + 50


def test_a_flow_is_priced_as_often_as_it_makes_a_model_speak() -> None:
    once = a_probe("once")
    plan = make_plan(load_spec(), [a_clause()], [replace(once, most=5, paid=2)], Models("gpt-4.1-mini"))
    assert plan.cost.calls == 5
    assert plan.cost.completion_tokens == 2 * CHAT["max_tokens"]
