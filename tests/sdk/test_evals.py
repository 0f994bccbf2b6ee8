from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import openai
import pytest

MODEL = "gpt-4.1-mini"
CONFIG: Any = {
    "type": "custom",
    "item_schema": {"type": "object", "properties": {"q": {"type": "string"}}},
    "include_sample_schema": True,
}
CRITERIA: Any = [
    {"type": "string_check", "name": "same", "input": "{{sample.output_text}}", "reference": "{{item.a}}",
     "operation": "eq"},
    {"type": "text_similarity", "name": "alike", "input": "{{sample.output_text}}", "reference": "{{item.a}}",
     "evaluation_metric": "bleu", "pass_threshold": 0.5},
    {"type": "label_model", "name": "label", "model": MODEL, "input": [{"role": "user", "content": "Reply with: good"}],
     "labels": ["good", "bad"], "passing_labels": ["good"]},
    {"type": "score_model", "name": "score", "model": MODEL, "input": [{"role": "user", "content": "Say: 0.9"}],
     "pass_threshold": 0.8},
]  # fmt: skip
ROWS: Any = [{"item": {"q": "yes", "a": "yes"}}, {"item": {"q": "no", "a": "yes"}}, {"item": {"q": "ok", "a": "ok"}}]
SOURCE: Any = {
    "type": "completions",
    "model": MODEL,
    "input_messages": {"type": "template", "template": [{"role": "user", "content": "Reply with: {{item.q}}"}]},
    "source": {"type": "file_content", "content": ROWS},
}
FINAL = ("completed", "failed", "canceled")


def test_an_eval_is_made_changed_listed_and_deleted(client: openai.OpenAI) -> None:
    made = client.evals.create(name="first", data_source_config=CONFIG, testing_criteria=CRITERIA, metadata={"a": "b"})
    assert client.evals.retrieve(made.id).to_dict() == made.to_dict()
    assert client.evals.update(made.id, name="second").name == "second"
    other = client.evals.create(data_source_config={"type": "logs"}, testing_criteria=CRITERIA[:1])
    listed = [one.id for one in client.evals.list(limit=1, order="desc", order_by="created_at")]
    assert listed[:2] == [other.id, made.id]
    assert client.evals.delete(made.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.evals.retrieve(made.id)


def test_a_run_is_followed_to_its_output(client: openai.OpenAI) -> None:
    of = client.evals.create(data_source_config=CONFIG, testing_criteria=CRITERIA)
    run = client.evals.runs.create(of.id, data_source=SOURCE, name="r")
    while (found := client.evals.runs.retrieve(run.id, eval_id=of.id)).status not in FINAL:
        pass
    assert (found.status, found.result_counts.passed, found.result_counts.failed) == ("completed", 2, 1)
    assert [one.passed for one in found.per_testing_criteria_results] == [2, 2, 3, 3]
    assert found.per_model_usage[0].invocation_count == 9
    items = list(client.evals.runs.output_items.list(run.id, eval_id=of.id, limit=2))
    assert [item.status for item in items] == ["pass", "fail", "pass"]
    assert [item.id for item in client.evals.runs.output_items.list(run.id, eval_id=of.id, status="fail")] == [
        items[1].id
    ]
    one = client.evals.runs.output_items.retrieve(items[1].id, eval_id=of.id, run_id=run.id)
    assert one.sample.output[0].content == "no"


def test_a_run_reads_a_file_and_judges_what_is_there(client: openai.OpenAI) -> None:
    lines = [{**row, "sample": {"output_text": "yes"}} for row in ROWS]
    data = b"\n".join(json.dumps(line).encode() for line in lines)
    # The types of the SDK let a file be sent for evals, but not be told of as such.
    with openai.OpenAI(base_url=client.base_url, api_key=client.api_key) as lenient:
        file = lenient.files.create(file=("e.jsonl", data), purpose="evals")
    of = client.evals.create(data_source_config=CONFIG, testing_criteria=CRITERIA[:1])
    source: Any = {"type": "jsonl", "source": {"type": "file_id", "id": file.id}}
    run = client.evals.runs.create(of.id, data_source=source)
    while (found := client.evals.runs.retrieve(run.id, eval_id=of.id)).status not in FINAL:
        pass
    assert (found.result_counts.passed, found.result_counts.total) == (2, 3)


def test_runs_are_canceled_listed_and_deleted(client: openai.OpenAI) -> None:
    of = client.evals.create(data_source_config=CONFIG, testing_criteria=CRITERIA[:1])
    # Enough of them that it is still at work when it is canceled.
    many: Any = {**SOURCE, "source": {"type": "file_content", "content": ROWS * 700}}
    run = client.evals.runs.create(of.id, data_source=many)
    assert client.evals.runs.cancel(run.id, eval_id=of.id).status == "canceled"
    other = client.evals.runs.create(of.id, data_source=SOURCE)
    assert [one.id for one in client.evals.runs.list(of.id, limit=1)] == [run.id, other.id]
    assert [one.id for one in client.evals.runs.list(of.id, status="canceled")] == [run.id]
    assert client.evals.runs.delete(run.id, eval_id=of.id).deleted
    assert [one.id for one in client.evals.runs.list(of.id)] == [other.id]


def test_the_same_asynchronously(async_client: Callable[[], openai.AsyncOpenAI]) -> None:
    async def use() -> None:
        async with async_client() as client:
            of = await client.evals.create(data_source_config=CONFIG, testing_criteria=CRITERIA[:2])
            assert (await client.evals.update(of.id, metadata={"x": "y"})).metadata == {"x": "y"}
            assert of.id in [one.id async for one in client.evals.list(limit=3)]
            assert (await client.evals.retrieve(of.id)).id == of.id
            run = await client.evals.runs.create(of.id, data_source=SOURCE)
            while (found := await client.evals.runs.retrieve(run.id, eval_id=of.id)).status not in FINAL:
                pass
            assert found.result_counts.total == 3
            items = [one async for one in client.evals.runs.output_items.list(run.id, eval_id=of.id, limit=1)]
            assert len(items) == 3
            one = await client.evals.runs.output_items.retrieve(items[0].id, eval_id=of.id, run_id=run.id)
            assert one.to_dict() == items[0].to_dict()
            with pytest.raises(openai.BadRequestError):
                await client.evals.runs.cancel(run.id, eval_id=of.id)
            assert [one.id async for one in client.evals.runs.list(of.id)] == [run.id]
            assert (await client.evals.runs.delete(run.id, eval_id=of.id)).deleted
            assert (await client.evals.delete(of.id)).deleted

    asyncio.run(use())
