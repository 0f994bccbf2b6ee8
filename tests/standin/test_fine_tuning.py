from __future__ import annotations

import csv
import io
import json
from itertools import pairwise
from typing import Any

import pytest
from standin.asking import CHAT, LEGACY, Clock, ask, backend, chat, error, post, said, user

from wireproof.spec import load_spec
from wireproof.standin.backend import Backend
from wireproof.standin.resources.files import keep
from wireproof.standin.wire import Answer

LINE: dict[str, Any] = {"messages": [*user("Hello"), {"role": "assistant", "content": "Good day to you"}]}
PAIR: dict[str, Any] = {
    "input": {"messages": user("Hello")},
    "preferred_output": [{"role": "assistant", "content": "Good day"}],
    "non_preferred_output": [{"role": "assistant", "content": "Hi"}],
}
TASK: dict[str, Any] = {"messages": user("Two and two?"), "answer": "4"}
GRADER: dict[str, Any] = {
    "type": "string_check",
    "name": "same",
    "input": "{{sample.output_text}}",
    "reference": "{{item.answer}}",
    "operation": "eq",
}


class Shop:
    """A backend with its clock, and the paths of fine-tuning."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.one: Backend = backend(clock=self.clock)

    def file(self, *lines: Any, purpose: str = "fine-tune") -> str:
        data = b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
        return str(keep(self.one.world, "t.jsonl", data, purpose)["id"])

    def create(self, *lines: Any, **fields: Any) -> dict[str, Any]:
        body = {"model": CHAT, "training_file": self.file(*(lines or [LINE] * 10)), **fields}
        answer = post("/fine_tuning/jobs", body, self.one)
        assert answer.status == 200, answer.body
        return dict(answer.json)

    def get(self, path: str, **query: str) -> Answer:
        return self.one.answer(ask("GET", f"/fine_tuning/{path}", **query))

    def job(self, id: str) -> dict[str, Any]:
        return dict(self.get(f"jobs/{id}").json)

    def deed(self, id: str, deed: str) -> Answer:
        return self.one.answer(ask("POST", f"/fine_tuning/jobs/{id}/{deed}"))

    def later(self, seconds: float) -> None:
        self.clock.now += seconds

    def done(self, *lines: Any, **fields: Any) -> dict[str, Any]:
        id = self.create(*lines, **fields)["id"]
        self.later(1000)
        return self.job(id)


def refused(answer: Answer) -> tuple[int, str | None, str | None]:
    return answer.status, error(answer)["param"], error(answer)["code"]


def test_a_job_lives_by_the_clock_as_the_description_says() -> None:
    shop = Shop()
    job = shop.create(hyperparameters={"n_epochs": 2})
    seen = [job["status"]]
    assert (job["finished_at"], job["fine_tuned_model"], job["trained_tokens"]) == (None, None, None)
    for _ in range(80):
        shop.later(0.25)
        now = shop.job(job["id"])
        if now["status"] != seen[-1]:
            seen.append(now["status"])
        assert (now["estimated_finish"] is not None) == (now["status"] == "running")
    assert seen == ["validating_files", "queued", "running", "succeeded"]
    life = load_spec().document["components"]["schemas"]["FineTuningJob"]["x-lifecycle"]
    assert seen[0] in life["start"]
    assert all(after in life["moves"][before] for before, after in pairwise(seen))
    assert seen[-1] not in life["moves"]


def test_what_is_auto_is_a_number_once_the_files_are_known() -> None:
    shop = Shop()
    assert shop.create()["hyperparameters"] == dict.fromkeys(
        ("n_epochs", "batch_size", "learning_rate_multiplier"), "auto"
    )
    job = shop.done()
    assert job["hyperparameters"] == {"n_epochs": 10, "batch_size": 1, "learning_rate_multiplier": 2.0}
    assert job["method"] == {"type": "supervised", "supervised": {"hyperparameters": job["hyperparameters"]}}
    many = shop.done(*[LINE] * 1500, hyperparameters={"learning_rate_multiplier": 0.5})
    assert many["hyperparameters"] == {"n_epochs": 3, "batch_size": 3, "learning_rate_multiplier": 0.5}


def test_trained_tokens_are_those_of_the_counter_once_an_epoch() -> None:
    shop = Shop()
    job = shop.done(hyperparameters={"n_epochs": 2})
    counted = chat("x", messages=LINE["messages"]).json["usage"]["prompt_tokens"]
    assert job["trained_tokens"] == 2 * 10 * counted


def test_the_model_it_makes_is_listed_asked_and_deleted() -> None:
    shop = Shop()
    job = shop.done(suffix="My Shop!")
    name = job["fine_tuned_model"]
    assert name.startswith("ft:gpt-4.1-mini-2025-04-14:org-standin:my-shop:")
    listed = shop.one.answer(ask("GET", "/models")).json["data"]
    assert name in [model["id"] for model in listed]
    card = shop.one.answer(ask("GET", f"/models/{name}")).json
    assert (card["owned_by"], card["created"]) == ("org-standin", job["finished_at"])
    answer = chat("Say: yes", shop.one, model=name)
    assert (said(answer), answer.json["model"]) == ("yes", name)
    assert shop.one.answer(ask("DELETE", f"/models/{name}")).json == {"id": name, "object": "model", "deleted": True}
    assert refused(chat("Hello", shop.one, model=name))[0] == 404
    assert shop.one.answer(ask("GET", f"/models/{name}")).status == 404
    assert shop.one.answer(ask("DELETE", f"/models/{CHAT}")).status == 403


def test_a_model_of_ones_own_can_be_trained_further() -> None:
    shop = Shop()
    first = shop.done()["fine_tuned_model"]
    second = shop.done(model=first, suffix="more")
    assert second["model"] == first
    assert second["fine_tuned_model"].startswith("ft:gpt-4.1-mini-2025-04-14:org-standin:more:")


def test_events_tell_the_story_newest_first_page_by_page() -> None:
    shop = Shop()
    id = shop.done(hyperparameters={"n_epochs": 1})["id"]
    whole = shop.get(f"jobs/{id}/events", limit="100").json["data"]
    told = [event["message"] for event in whole[::-1]]
    assert told[0] == f"Created fine-tuning job: {id}"
    assert told[-3:] == ["Checkpoint created at step 10", "New fine-tuned model created",
                         "The job has successfully completed"]  # fmt: skip
    assert [event["data"]["step"] for event in whole[::-1] if event["type"] == "metrics"] == list(range(1, 11))
    assert [event["created_at"] for event in whole] == sorted((e["created_at"] for e in whole), reverse=True)
    paged: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = shop.get(f"jobs/{id}/events", limit="4", **cursor).json
        paged += [event["id"] for event in page["data"]]
        if not page["has_more"]:
            break
        cursor = {"after": page["data"][-1]["id"]}
    assert paged == [event["id"] for event in whole]


def test_the_loss_falls() -> None:
    shop = Shop()
    id = shop.done(*[LINE] * 40)["id"]
    events = shop.get(f"jobs/{id}/events", limit="500").json["data"][::-1]
    losses = [event["data"]["train_loss"] for event in events if event["type"] == "metrics"]
    assert losses[0] > 1.5 > 0.6 > losses[-1]
    assert all(set(event["data"]) == {"step", "train_loss", "train_mean_token_accuracy"}
               for event in events if event["type"] == "metrics")  # fmt: skip


def test_there_is_a_checkpoint_an_epoch_that_can_be_asked() -> None:
    shop = Shop()
    job = shop.done(validation_file=shop.file(*[LINE] * 10), hyperparameters={"n_epochs": 3})
    page = shop.get(f"jobs/{job['id']}/checkpoints").json
    assert [one["step_number"] for one in page["data"]] == [30, 20, 10]
    assert (page["first_id"], page["has_more"]) == (page["data"][0]["id"], False)
    names = [one["fine_tuned_model_checkpoint"] for one in page["data"]]
    assert names[0] == job["fine_tuned_model"]
    assert names[1:] == [f"{names[0]}:ckpt-step-20", f"{names[0]}:ckpt-step-10"]
    assert len(page["data"][0]["metrics"]) == 7
    assert said(chat("Say: yes", shop.one, model=names[2])) == "yes"


def test_the_results_are_a_file_of_its_own() -> None:
    shop = Shop()
    job = shop.done(validation_file=shop.file(*[LINE] * 10), hyperparameters={"n_epochs": 2})
    (id,) = job["result_files"]
    file = shop.one.answer(ask("GET", f"/files/{id}")).json
    assert (file["purpose"], file["filename"]) == ("fine-tune-results", "step_metrics.csv")
    content = shop.one.answer(ask("GET", f"/files/{id}/content")).body
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    assert [int(row["step"]) for row in rows] == list(range(1, 21))
    assert all(float(row["valid_loss"]) > float(row["train_loss"]) for row in rows)


def test_a_running_job_is_paused_and_goes_on_where_it_was() -> None:
    shop = Shop()
    id = shop.create(hyperparameters={"n_epochs": 2})["id"]
    assert refused(shop.deed(id, "pause")) == (400, "fine_tuning_job_id", "invalid_job_state")
    assert refused(shop.deed(id, "resume"))[0] == 400
    shop.later(5)
    assert shop.job(id)["status"] == "running"
    assert shop.deed(id, "pause").json["status"] == "queued"
    assert refused(shop.deed(id, "pause"))[0] == 400
    shop.later(10_000)
    assert shop.job(id)["status"] == "queued"
    assert shop.deed(id, "resume").json["status"] == "queued"
    assert refused(shop.deed(id, "resume"))[0] == 400
    shop.later(2)
    assert shop.job(id)["status"] == "running"
    # Of the first epoch 4 s were left, the second takes 5 s.
    shop.later(8.9)
    assert shop.job(id)["status"] == "running"
    shop.later(0.2)
    assert shop.job(id)["status"] == "succeeded"
    assert refused(shop.deed(id, "pause"))[0] == refused(shop.deed(id, "cancel"))[0] == 400
    told = [event["message"] for event in shop.get(f"jobs/{id}/events", limit="99").json["data"]]
    assert {"The job was paused", "The job was resumed"} <= set(told)


@pytest.mark.parametrize("after_s", [0, 3, 6])
def test_a_job_is_cancelled_from_every_state_before_its_end(after_s: float) -> None:
    shop = Shop()
    id = shop.create()["id"]
    shop.later(after_s)
    cancelled = shop.deed(id, "cancel").json
    assert (cancelled["status"], cancelled["finished_at"]) == ("cancelled", int(shop.clock.now))
    shop.later(10_000)
    assert shop.job(id) == cancelled
    assert refused(shop.deed(id, "cancel"))[0] == 400


@pytest.mark.parametrize(
    ("lines", "method", "code"),
    [
        ([LINE] * 9, "supervised", "invalid_n_examples"),
        ([b"{not json"] + [LINE] * 10, "supervised", "invalid_file_format"),
        ([b'"text"'] + [LINE] * 10, "supervised", "invalid_file_format"),
        ([b"\xff\xfe"], "supervised", "invalid_file_format"),
        ([{"messages": []}] * 10, "supervised", "invalid_training_file"),
        ([{"messages": user("Hello")}] * 10, "supervised", "invalid_training_file"),
        ([{"messages": [{"role": "nobody", "content": "x"}]}] * 10, "supervised", "invalid_training_file"),
        ([PAIR] * 10, "supervised", "invalid_training_file"),
        ([LINE] * 10, "dpo", "invalid_training_file"),
        ([{**PAIR, "preferred_output": user("x")}] * 10, "dpo", "invalid_training_file"),
        ([LINE] * 10, "reinforcement", "invalid_training_file"),
    ],
)
def test_a_file_that_cannot_be_trained_on_fails_the_job(lines: list[Any], method: str, code: str) -> None:
    shop = Shop()
    job = shop.done(*lines, method={"type": method, **({method: {"grader": GRADER}} if "rein" in method else {})})
    assert (job["status"], job["error"]["code"], job["error"]["param"]) == ("failed", code, "training_file")
    assert job["error"]["message"]
    assert (job["fine_tuned_model"], job["result_files"], job["trained_tokens"]) == (None, [], None)
    assert shop.get(f"jobs/{job['id']}/events").json["data"][0]["level"] == "error"


def test_a_file_that_is_gone_when_it_is_read_fails_the_job() -> None:
    shop = Shop()
    job = shop.create()
    shop.one.answer(ask("DELETE", f"/files/{job['training_file']}"))
    shop.later(3)
    assert shop.job(job["id"])["error"]["code"] == "file_not_found"


@pytest.mark.parametrize(
    ("line", "method", "names"),
    [
        (PAIR, {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.3}}}, {"beta"}),
        (TASK, {"type": "reinforcement", "reinforcement": {"grader": GRADER}},
         {"reasoning_effort", "compute_multiplier", "eval_interval", "eval_samples"}),
    ],
)  # fmt: skip
def test_every_method_trains(line: dict[str, Any], method: dict[str, Any], names: set[str]) -> None:
    job = Shop().done(*[line] * 10, method=method)
    kind = method["type"]
    assert job["status"] == "succeeded"
    found = job["method"][kind]["hyperparameters"]
    assert names < set(found)
    assert "auto" not in found.values()
    assert found.get("beta") in (None, 0.3)
    assert job["method"][kind].get("grader") == method[kind].get("grader")


def test_a_model_of_completions_trains_on_prompts() -> None:
    job = Shop().done(*[{"prompt": "a", "completion": "b"}] * 10, model=LEGACY)
    assert job["status"] == "succeeded"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": "gpt-none"}, "model"),
        ({"model": "text-embedding-3-small"}, "model"),
        ({"training_file": "file-none"}, "training_file"),
        ({"validation_file": "file-none"}, "validation_file"),
        ({"method": {"type": "reinforcement"}}, "method.reinforcement"),
        ({"method": {"type": "reinforcement", "reinforcement": {"grader": {**GRADER, "input": "{{x}}"}}}},
         "method.reinforcement.grader.input"),
        ({"model": LEGACY, "method": {"type": "dpo"}}, "method.type"),
        ({"suffix": "x" * 65}, "suffix"),
        ({"seed": -1}, "seed"),
    ],
)  # fmt: skip
def test_a_job_that_cannot_be_is_refused_at_once(fields: dict[str, Any], param: str) -> None:
    shop = Shop()
    body = {"model": CHAT, "training_file": shop.file(*[LINE] * 10), **fields}
    assert refused(post("/fine_tuning/jobs", body, shop.one))[:2] == (400, param)
    assert shop.get("jobs").json["data"] == []


def test_a_file_for_another_purpose_is_refused() -> None:
    shop = Shop()
    body = {"model": CHAT, "training_file": shop.file(LINE, purpose="batch")}
    assert refused(post("/fine_tuning/jobs", body, shop.one)) == (400, "training_file", "invalid_file_purpose")


def test_jobs_are_listed_newest_first_and_by_metadata() -> None:
    shop = Shop()
    made = [shop.create(metadata={"n": str(n), "all": "yes"})["id"] for n in range(3)]
    page = shop.get("jobs", limit="2").json
    assert ([job["id"] for job in page["data"]], page["has_more"]) == (made[:0:-1], True)
    rest = shop.get("jobs", after=page["data"][-1]["id"]).json
    assert ([job["id"] for job in rest["data"]], rest["has_more"]) == (made[:1], False)
    assert [job["id"] for job in shop.get("jobs", **{"metadata[n]": "1"}).json["data"]] == [made[1]]
    assert len(shop.get("jobs", **{"metadata[all]": "yes"}).json["data"]) == 3
    assert refused(shop.get("jobs", after="ftjob-none"))[:2] == (400, "after")


def test_integrations_seed_and_metadata_are_told_as_given() -> None:
    shop = Shop()
    wandb = [{"type": "wandb", "wandb": {"project": "p", "name": None, "entity": "e", "tags": ["a"]}}]
    job = shop.create(integrations=wandb, seed=7, metadata={"a": "b"})
    assert (job["integrations"], job["seed"], job["metadata"]) == (wandb, 7, {"a": "b"})
    assert shop.job(job["id"]) == job


def test_what_is_no_job_is_not_found() -> None:
    shop = Shop()
    for path in ("jobs/ftjob-x", "jobs/ftjob-x/events", "jobs/ftjob-x/checkpoints", "checkpoints/ft:x/permissions"):
        assert refused(shop.get(path))[0] == 404, path
    assert refused(shop.deed("ftjob-x", "cancel"))[0] == 404


def test_permissions_of_a_checkpoint_are_given_listed_and_taken_back() -> None:
    shop = Shop()
    path = f"/fine_tuning/checkpoints/{shop.done()['fine_tuned_model']}/permissions"
    given = post(path, {"project_ids": ["proj_a", "proj_b", "proj_a"]}, shop.one).json
    a, b = (row["id"] for row in given["data"])
    assert [row["project_id"] for row in given["data"]] == ["proj_a", "proj_b"]
    assert post(path, {"project_ids": ["proj_b"]}, shop.one).json["data"][0]["id"] == b

    def listed(**query: str) -> list[str]:
        return [row["id"] for row in shop.one.answer(ask("GET", path, **query)).json["data"]]

    assert (listed(), listed(order="ascending"), listed(project_id="proj_a")) == ([b, a], [a, b], [a])
    assert listed(limit="1", after=b) == [a]
    assert shop.one.answer(ask("DELETE", f"{path}/{a}")).json == {
        "id": a,
        "object": "checkpoint.permission",
        "deleted": True,
    }
    assert shop.one.answer(ask("DELETE", f"{path}/{a}")).status == 404
    assert listed() == [b]
    assert refused(post(path, {"project_ids": [], "more": 1}, shop.one))[0] == 400
