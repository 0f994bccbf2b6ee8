from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import openai
import pytest
from openai.types.fine_tuning import FineTuningJob

MODEL = "gpt-4.1-mini"
LINES = [{"messages": [{"role": "user", "content": f"Say {n}"}, {"role": "assistant", "content": f"{n}"}]}
         for n in range(12)]  # fmt: skip
DATA = ("train.jsonl", b"\n".join(json.dumps(line).encode() for line in LINES))
FINAL = ("succeeded", "failed", "cancelled")
SAME: Any = {
    "type": "string_check",
    "name": "same",
    "input": "{{sample.output_text}}",
    "reference": "{{item.answer}}",
    "operation": "eq",
}


def started(client: openai.OpenAI, epochs: int = 2, **more: Any) -> FineTuningJob:
    file = client.files.create(file=DATA, purpose="fine-tune")
    method: Any = {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": epochs}}}
    return client.fine_tuning.jobs.create(model=MODEL, training_file=file.id, method=method, **more)


def followed(client: openai.OpenAI, id: str, *until: str) -> FineTuningJob:
    """The job once it has come to one of these states."""
    while (job := client.fine_tuning.jobs.retrieve(id)).status not in (until or FINAL):
        assert job.status not in FINAL
    return job


def test_a_job_makes_a_model_that_answers(client: openai.OpenAI) -> None:
    wandb: Any = [{"type": "wandb", "wandb": {"project": "p", "tags": ["t"]}}]
    job = started(client, suffix="shop", metadata={"for": "test"}, integrations=wandb, seed=3)
    assert (job.status, job.seed, job.metadata) == ("validating_files", 3, {"for": "test"})
    done = followed(client, job.id)
    assert done.status == "succeeded"
    assert done.fine_tuned_model is not None
    said = client.chat.completions.create(
        model=done.fine_tuned_model, messages=[{"role": "user", "content": "Say: yes"}]
    )
    assert said.choices[0].message.content == "yes"
    assert client.files.content(done.result_files[0]).text.startswith("step,train_loss")
    checkpoints = list(client.fine_tuning.jobs.checkpoints.list(job.id, limit=1))
    assert [one.step_number for one in checkpoints] == [24, 12]
    events = list(client.fine_tuning.jobs.list_events(job.id, limit=5))
    assert events[0].message == "The job has successfully completed"
    assert sum(event.type == "metrics" for event in events) == 24
    assert client.models.delete(done.fine_tuned_model).deleted


def test_jobs_are_listed_page_by_page(client: openai.OpenAI) -> None:
    made = [started(client, metadata={"group": "pages"}).id for _ in range(3)]
    listed = client.fine_tuning.jobs.list(limit=2, metadata={"group": "pages"})
    assert [job.id for job in listed] == made[::-1]


def test_a_job_is_paused_resumed_and_cancelled(client: openai.OpenAI) -> None:
    job = started(client, epochs=50)
    with pytest.raises(openai.BadRequestError):
        client.fine_tuning.jobs.resume(job.id)
    followed(client, job.id, "running")
    assert client.fine_tuning.jobs.pause(job.id).status == "queued"
    assert client.fine_tuning.jobs.resume(job.id).status == "queued"
    followed(client, job.id, "running")
    assert client.fine_tuning.jobs.cancel(job.id).status == "cancelled"


def test_a_bad_file_fails_the_job_in_words(client: openai.OpenAI) -> None:
    file = client.files.create(file=("few.jsonl", json.dumps(LINES[0]).encode()), purpose="fine-tune")
    job = followed(client, client.fine_tuning.jobs.create(model=MODEL, training_file=file.id).id)
    assert job.error is not None
    assert (job.status, job.error.code, job.error.param) == ("failed", "invalid_n_examples", "training_file")


def test_permissions_of_a_checkpoint(client: openai.OpenAI) -> None:
    model = followed(client, started(client).id).fine_tuned_model
    assert model is not None
    permissions = client.fine_tuning.checkpoints.permissions
    given = list(permissions.create(model, project_ids=["proj_a", "proj_b", "proj_c"]))
    assert [one.project_id for one in given] == ["proj_a", "proj_b", "proj_c"]
    listed = list(permissions.list(model, limit=2, order="ascending"))
    assert [one.id for one in listed] == [one.id for one in given]
    with pytest.warns(DeprecationWarning):
        assert permissions.retrieve(model).data[0].id == given[-1].id
    assert permissions.delete(given[0].id, fine_tuned_model_checkpoint=model).deleted


def test_graders(client: openai.OpenAI) -> None:
    graders = client.fine_tuning.alpha.graders
    assert graders.validate(grader=SAME).grader is not None
    assert graders.run(grader=SAME, model_sample="4", item={"answer": "4"}).reward == 1
    multi: Any = {"type": "multi", "name": "m", "graders": SAME, "calculate_output": "2 * same"}
    assert graders.validate(grader=multi).grader is not None
    found = graders.run(grader=multi, model_sample="4", item={"answer": "4"})
    assert (found.reward, found.sub_rewards) == (2, {"same": 1})


def test_the_same_asynchronously(async_client: Callable[[], openai.AsyncOpenAI]) -> None:
    async def use() -> None:
        async with async_client() as client:
            tuning = client.fine_tuning
            file = await client.files.create(file=DATA, purpose="fine-tune")
            job = await tuning.jobs.create(model=MODEL, training_file=file.id, suffix="async")
            other = await tuning.jobs.create(model=MODEL, training_file=file.id)
            assert (await tuning.jobs.cancel(other.id)).status == "cancelled"
            with pytest.raises(openai.BadRequestError):
                await tuning.jobs.pause(other.id)
            with pytest.raises(openai.BadRequestError):
                await tuning.jobs.resume(other.id)
            while (job := await tuning.jobs.retrieve(job.id)).status not in FINAL:
                pass
            assert job.fine_tuned_model is not None
            assert [one.id async for one in tuning.jobs.list(limit=1)][:2] == [other.id, job.id]
            assert len([event async for event in tuning.jobs.list_events(job.id)]) > 20
            checkpoints = [one async for one in tuning.jobs.checkpoints.list(job.id)]
            assert checkpoints[0].fine_tuned_model_checkpoint == job.fine_tuned_model
            permissions = tuning.checkpoints.permissions
            given = [one async for one in permissions.create(job.fine_tuned_model, project_ids=["proj_a"])]
            assert [one.id async for one in permissions.list(job.fine_tuned_model)] == [given[0].id]
            await permissions.delete(given[0].id, fine_tuned_model_checkpoint=job.fine_tuned_model)
            assert (await tuning.alpha.graders.validate(grader=SAME)).grader is not None
            assert (await tuning.alpha.graders.run(grader=SAME, model_sample="5", item={"answer": "4"})).reward == 0

    asyncio.run(use())
