from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from standin.asking import CHAT, Clock, ask, backend, chat, error, post, user

from wireproof.spec import load_spec
from wireproof.standin.backend import Backend
from wireproof.standin.resources.files import keep
from wireproof.standin.wire import Answer

CUSTOM: dict[str, Any] = {
    "type": "custom",
    "item_schema": {"type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"]},
    "include_sample_schema": True,
}
SAME: dict[str, Any] = {
    "type": "string_check",
    "name": "same",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.a }}",
    "operation": "eq",
}
ALIKE: dict[str, Any] = {
    "type": "text_similarity",
    "name": "alike",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.a }}",
    "evaluation_metric": "fuzzy_match",
    "pass_threshold": 0.5,
}
LABEL: dict[str, Any] = {
    "type": "label_model",
    "name": "label",
    "model": "gpt-4o-mini",
    "input": user("Reply with: {{ item.label }}"),
    "labels": ["good", "bad"],
    "passing_labels": ["good"],
}
TEMPLATE: dict[str, Any] = {"type": "template", "template": user("Reply with: {{ item.q }}")}
ITEMS = [{"item": {"q": "yes", "a": "yes", "label": "good"}}, {"item": {"q": "yes!", "a": "yes", "label": "bad"}},
         {"item": {"q": "river", "a": "yes", "label": "good"}}]  # fmt: skip


class Bench:
    """A backend with its clock, and the paths of evals."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.one: Backend = backend(clock=self.clock)

    def post(self, path: str, body: Any = None) -> Answer:
        return self.one.answer(ask("POST", f"/evals{path}", body))

    def get(self, path: str, **query: str) -> Answer:
        return self.one.answer(ask("GET", f"/evals{path}", **query))

    def delete(self, path: str) -> Answer:
        return self.one.answer(ask("DELETE", f"/evals{path}"))

    def eval(self, *criteria: dict[str, Any], **fields: Any) -> str:
        body = {"data_source_config": CUSTOM, "testing_criteria": list(criteria or [SAME]), **fields}
        answer = self.post("", body)
        assert answer.status == 201, answer.body
        return str(answer.json["id"])

    def run(self, id: str, items: list[Any] | None = None, **data: Any) -> dict[str, Any]:
        source = {"type": "file_content", "content": ITEMS if items is None else items}
        data = {"type": "completions", "model": CHAT, "input_messages": TEMPLATE, "source": source, **data}
        answer = self.post(f"/{id}/runs", {"data_source": {k: v for k, v in data.items() if v is not None}})
        assert answer.status == 201, answer.body
        return dict(answer.json)

    def finished(self, run: dict[str, Any]) -> dict[str, Any]:
        self.clock.now += 1000
        return dict(self.get(f"/{run['eval_id']}/runs/{run['id']}").json)

    def output(self, run: dict[str, Any], **query: str) -> list[dict[str, Any]]:
        return list(self.get(f"/{run['eval_id']}/runs/{run['id']}/output_items", **query).json["data"])


def refused(answer: Answer) -> tuple[int, str | None]:
    return answer.status, error(answer)["param"]


def test_an_eval_is_told_as_it_was_made() -> None:
    bench = Bench()
    made = bench.post("", {"name": "n", "metadata": {"a": "b"}, "data_source_config": CUSTOM,
                           "testing_criteria": [SAME, ALIKE, LABEL]})  # fmt: skip
    assert (made.status, made.json["name"], made.json["metadata"]) == (201, "n", {"a": "b"})
    assert made.json["testing_criteria"] == [SAME, ALIKE, LABEL]
    schema = made.json["data_source_config"]["schema"]
    assert schema["properties"]["item"] == CUSTOM["item_schema"]
    assert schema["required"] == ["item", "sample"]
    assert bench.get(f"/{made.json['id']}").json == made.json


def test_an_eval_is_renamed_and_deleted_with_its_runs() -> None:
    bench = Bench()
    id = bench.eval()
    run = bench.run(id)
    changed = bench.post(f"/{id}", {"name": "other", "metadata": {"x": "y"}})
    assert (changed.json["name"], changed.json["metadata"]) == ("other", {"x": "y"})
    assert bench.get(f"/{id}").json == changed.json
    assert bench.delete(f"/{id}").json == {"object": "eval.deleted", "deleted": True, "eval_id": id}
    assert refused(bench.get(f"/{id}")) == (404, "eval_id")
    assert refused(bench.get(f"/{id}/runs/{run['id']}"))[0] == 404
    bench.clock.now += 1000
    assert bench.get("").json["data"] == []


def test_evals_are_listed_by_creation_or_by_change() -> None:
    bench = Bench()
    a, b, c = (bench.eval(name=name) for name in "abc")
    bench.clock.now += 10
    bench.post(f"/{a}", {"name": "z"})

    def listed(**query: str) -> list[str]:
        return [row["id"] for row in bench.get("", **query).json["data"]]

    assert (listed(), listed(order="desc")) == ([a, b, c], [c, b, a])
    assert listed(order_by="updated_at") == [b, c, a]
    page = bench.get("", limit="2").json
    assert (page["last_id"], page["has_more"], listed(after=b)) == (b, True, [c])


def test_a_run_lives_by_the_clock_as_the_description_says() -> None:
    bench = Bench()
    run = bench.run(bench.eval(), ITEMS * 20)
    seen = [run["status"]]
    for _ in range(40):
        bench.clock.now += 0.25
        now = bench.get(f"/{run['eval_id']}/runs/{run['id']}").json
        if now["status"] != seen[-1]:
            seen.append(now["status"])
        assert now["result_counts"]["total"] == len(bench.output(run, limit="100"))
    assert seen == ["queued", "in_progress", "completed"]
    assert now["result_counts"] == {"total": 60, "errored": 0, "failed": 40, "passed": 20}
    moves = load_spec().document["components"]["schemas"]["EvalRun"]["x-lifecycle"]["moves"]
    assert all(after in moves[before] for before, after in pairwise(seen))
    assert seen[-1] not in moves


def test_each_item_is_asked_and_judged_by_each_criterion() -> None:
    bench = Bench()
    run = bench.finished(bench.run(bench.eval(SAME, ALIKE, LABEL)))
    assert run["status"] == "completed"
    assert run["result_counts"] == {"total": 3, "errored": 0, "failed": 2, "passed": 1}
    assert run["per_testing_criteria_results"] == [
        {"testing_criteria": "same", "passed": 1, "failed": 2},
        {"testing_criteria": "alike", "passed": 2, "failed": 1},
        {"testing_criteria": "label", "passed": 2, "failed": 1},
    ]
    rows = bench.output(run)
    assert [row["sample"]["output"][0]["content"] for row in rows] == ["yes", "yes!", "river"]
    assert [[result["passed"] for result in row["results"]] for row in rows] == [
        [True, True, True], [False, True, False], [False, False, True]
    ]  # fmt: skip
    assert [row["status"] for row in rows] == ["pass", "fail", "fail"]
    assert [row["datasource_item"] for row in rows] == [one["item"] for one in ITEMS]
    assert rows[0]["sample"]["input"] == user("Reply with: yes")
    assert rows[1]["results"][2]["sample"] == {"label": "bad"}


def test_what_was_asked_is_counted_by_model() -> None:
    bench = Bench()
    run = bench.finished(bench.run(bench.eval(LABEL)))
    usage = {row["model_name"]: row for row in run["per_model_usage"]}
    assert {name: row["invocation_count"] for name, row in usage.items()} == {CHAT: 3, "gpt-4o-mini": 3}
    of_items = [row["sample"]["usage"] for row in bench.output(run)]
    for name in ("prompt_tokens", "completion_tokens", "total_tokens"):
        assert usage[CHAT][name] == sum(one[name] for one in of_items)
    alone = chat("Reply with: yes").json["usage"]
    assert of_items[0] == {"prompt_tokens": alone["prompt_tokens"], "completion_tokens": alone["completion_tokens"],
                           "total_tokens": alone["total_tokens"], "cached_tokens": 0}  # fmt: skip


def test_sampling_parameters_are_kept_and_told() -> None:
    bench = Bench()
    params = {"temperature": 0.2, "top_p": 0.5, "seed": 7, "max_completion_tokens": 1}
    run = bench.finished(bench.run(bench.eval(), sampling_params=params))
    sample = bench.output(run)[1]["sample"]
    assert {name: sample[name] for name in params} == params
    assert (sample["output"][0]["content"], sample["finish_reason"]) == ("yes", "length")
    plain = bench.output(bench.finished(bench.run(bench.eval())))[0]["sample"]
    assert (plain["temperature"], plain["top_p"], plain["seed"]) == (1, 1, 42)


def test_messages_come_from_an_item_too() -> None:
    bench = Bench()
    items = [{"item": {"q": "", "a": "hi", "talk": user("Say: hi")}}, {"item": {"q": "", "a": "ho", "talk": "Say: ho"}}]
    reference = {"type": "item_reference", "item_reference": "item.talk"}
    run = bench.finished(bench.run(bench.eval(), items, input_messages=reference))
    assert run["result_counts"]["passed"] == 2


def test_an_item_that_cannot_be_asked_is_an_error_of_its_own() -> None:
    bench = Bench()
    template = {"type": "template", "template": user("{{ item.missing }}")}
    run = bench.finished(bench.run(bench.eval(), input_messages=template))
    assert (run["status"], run["result_counts"]["errored"]) == ("completed", 3)
    row = bench.output(run)[0]
    assert (row["status"], row["results"]) == ("error", [])
    assert "item.missing" in row["sample"]["error"]["message"]
    wrong = bench.finished(bench.run(bench.eval(), model="text-embedding-3-small"))
    assert wrong["result_counts"]["errored"] == 3


def test_answers_that_are_there_already_are_judged_as_they_are() -> None:
    bench = Bench()
    items = [{**ITEMS[0], "sample": {"output_text": "yes"}}, {**ITEMS[0], "sample": {"output_text": "no"}}, ITEMS[0]]
    source = {"type": "file_content", "content": items}
    run = bench.finished(bench.run(bench.eval(), type="jsonl", model=None, input_messages=None, source=source))
    assert (run["model"], run["per_model_usage"]) == ("", [])
    assert [row["status"] for row in bench.output(run)] == ["pass", "fail", "fail"]


def test_items_come_from_a_file() -> None:
    bench = Bench()
    data = "\n".join(map(json.dumps, ITEMS)).encode()
    good = keep(bench.one.world, "e.jsonl", data, "evals")["id"]
    run = bench.finished(bench.run(bench.eval(), source={"type": "file_id", "id": good}))
    assert run["result_counts"]["total"] == 3
    for bad in (b"{no", b'{"item": {"q": 1}}', b'{"x": 1}'):
        file = keep(bench.one.world, "e.jsonl", bad, "evals")["id"]
        run = bench.finished(bench.run(bench.eval(), source={"type": "file_id", "id": file}))
        assert (run["status"], run["error"]["code"]) == ("failed", "invalid_data_source")
        assert "Line 1" in run["error"]["message"]


def test_stored_completions_are_judged_or_asked_again() -> None:
    bench = Bench()
    for n in range(3):
        chat(f"Say: {n}", bench.one, store=True, metadata={"n": str(n % 2)})
    config = {"type": "stored_completions", "metadata": {"n": "0"}}
    criterion = {**SAME, "reference": "{{ item.output }}"}
    id = bench.eval(criterion, data_source_config=config)
    source = {"type": "stored_completions", "metadata": {"n": "0"}}
    run = bench.finished(bench.run(id, model=None, input_messages=None, source=source))
    rows = bench.output(run)
    assert [row["datasource_item"]["output"] for row in rows] == ["0", "2"]
    assert run["result_counts"]["passed"] == 2
    reference = {"type": "item_reference", "item_reference": "item.input"}
    again = bench.finished(bench.run(id, input_messages=reference, source={**source, "limit": 1}))
    assert again["result_counts"] == {"total": 1, "errored": 0, "failed": 0, "passed": 1}


def test_a_sample_is_asked_of_responses_too() -> None:
    bench = Bench()
    params = {"temperature": 0.2, "max_completion_tokens": 16, "reasoning_effort": None}
    items = [*ITEMS[:2], {"item": {"q": "river " * 20, "a": "yes"}}]
    run = bench.finished(bench.run(bench.eval(), items, type="responses", sampling_params=params))
    assert run["result_counts"] == {"total": 3, "errored": 0, "failed": 2, "passed": 1}
    rows = bench.output(run)
    assert [row["sample"]["output"][0]["content"][:7] for row in rows] == ["yes", "yes!", "river r"]
    assert [row["sample"]["finish_reason"] for row in rows] == ["stop", "stop", "length"]
    assert rows[0]["sample"]["temperature"] == 0.2
    assert rows[0]["sample"]["usage"]["prompt_tokens"] > 0
    assert run["per_model_usage"][0]["invocation_count"] == 3


def test_stored_responses_are_judged() -> None:
    bench = Bench()
    for n in range(3):
        post("/responses", {"model": CHAT, "input": f"Say: {n}", "instructions": f"Mode {n % 2}"}, bench.one)
    bench.clock.now += 10
    id = bench.eval({**SAME, "reference": "{{ item.output }}"}, data_source_config={"type": "logs"})
    source = {"type": "responses", "instructions_search": "mode 0"}
    run = bench.finished(bench.run(id, type="responses", model=None, input_messages=None, source=source))
    assert [row["datasource_item"]["output"] for row in bench.output(run)] == ["0", "2"]
    assert run["result_counts"]["passed"] == 2


def test_a_score_passes_from_its_threshold_on_or_from_the_middle() -> None:
    bench = Bench()
    score = {"type": "score_model", "name": "s", "model": CHAT, "range": [0, 10], "input": user("Say: {{ item.a }}")}
    items = [{"item": {"q": "", "a": number}} for number in ("4", "5", "8")]
    run = bench.finished(bench.run(bench.eval(score), items))
    assert [row["status"] for row in bench.output(run)] == ["fail", "pass", "pass"]
    strict = bench.finished(bench.run(bench.eval({**score, "pass_threshold": 8}), items))
    assert [row["results"][0]["score"] for row in bench.output(strict)] == [4, 5, 8]
    assert strict["result_counts"]["passed"] == 1


def test_python_passes_nothing_and_says_why() -> None:
    bench = Bench()
    python = {"type": "python", "name": "p", "source": "def grade(sample, item): return 1.0"}
    row = bench.output(bench.finished(bench.run(bench.eval(python))))[0]
    assert row["results"][0]["passed"] is False
    assert row["results"][0]["sample"]["errors"]["python_grader_server_error"] is True


def test_output_items_are_listed_by_status_and_page_by_page() -> None:
    bench = Bench()
    run = bench.finished(bench.run(bench.eval(), ITEMS * 10))
    whole = [row["id"] for row in bench.output(run, limit="100")]
    assert len(whole) == 30
    assert [row["datasource_item_id"] for row in bench.output(run, limit="100")] == list(range(30))
    assert len(bench.output(run, status="pass", limit="100")) == 10
    assert {row["status"] for row in bench.output(run, status="fail", limit="100")} == {"fail"}
    path = f"/{run['eval_id']}/runs/{run['id']}/output_items"
    page = bench.get(path, limit="20").json
    rest = bench.get(path, limit="20", after=page["last_id"]).json
    assert [row["id"] for row in page["data"] + rest["data"]] == whole
    assert (page["has_more"], rest["has_more"]) == (True, False)
    assert bench.get(f"{path}/{whole[7]}").json == bench.output(run, limit="100")[7]
    assert refused(bench.get(f"{path}/none")) == (404, "output_item_id")


@pytest.mark.parametrize("path", ["", "/cancel"])
def test_a_run_is_canceled_by_either_path(path: str) -> None:
    bench = Bench()
    run = bench.run(bench.eval())
    at = f"/{run['eval_id']}/runs/{run['id']}"
    assert bench.post(f"{at}{path}").json["status"] == "canceled"
    assert bench.finished(run)["status"] == "canceled"
    assert bench.output(run) == []
    assert refused(bench.post(f"{at}{path}")) == (400, "run_id")


def test_a_canceled_run_keeps_what_it_has() -> None:
    bench = Bench()
    run = bench.run(bench.eval(), ITEMS * 20)
    bench.clock.now += 1.6
    assert len(bench.output(run, limit="100")) == 20
    bench.post(f"/{run['eval_id']}/runs/{run['id']}/cancel")
    assert bench.finished(run)["result_counts"]["total"] == 20


def test_runs_are_listed_by_status_and_deleted() -> None:
    bench = Bench()
    id = bench.eval()
    first = bench.run(id)
    bench.finished(first)
    second = bench.run(id)

    def listed(**query: str) -> list[str]:
        return [row["id"] for row in bench.get(f"/{id}/runs", **query).json["data"]]

    assert listed() == [first["id"], second["id"]]
    assert (listed(status="completed"), listed(status="queued"), listed(status="failed")) == (
        [first["id"]],
        [second["id"]],
        [],
    )
    assert bench.delete(f"/{id}/runs/{first['id']}").json == {
        "object": "eval.run.deleted",
        "deleted": True,
        "run_id": first["id"],
    }
    assert refused(bench.get(f"/{id}/runs/{first['id']}/output_items")) == (404, "run_id")
    assert listed() == [second["id"]]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"testing_criteria": [{**SAME, "input": "{{ x }}"}]}, "testing_criteria[0].input"),
        ({"testing_criteria": [SAME, {**LABEL, "model": "none"}]}, "testing_criteria[1].model"),
        ({"testing_criteria": [{k: v for k, v in ALIKE.items() if k != "pass_threshold"}]},
         "testing_criteria[0].pass_threshold"),
        ({"data_source_config": {"type": "custom", "item_schema": {"type": "thing"}}},
         "data_source_config.item_schema"),
        ({"data_source_config": {"type": "other"}}, "data_source_config.type"),
    ],
)  # fmt: skip
def test_an_eval_that_cannot_be_is_refused(fields: dict[str, Any], param: str) -> None:
    body = {"data_source_config": CUSTOM, "testing_criteria": [SAME], **fields}
    assert refused(Bench().post("", body)) == (400, param)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": "none"}, "data_source.model"),
        ({"model": None}, "data_source.model"),
        ({"input_messages": None}, "data_source.input_messages"),
        ({"source": {"type": "file_id", "id": "file-none"}}, "data_source.source.id"),
        ({"source": {"type": "file_content", "content": [{"item": {"q": 1}}]}}, "data_source.source.content[0]"),
        ({"source": {"type": "file_content", "content": [{}]}}, "data_source.source.content[0].item"),
    ],
)  # fmt: skip
def test_a_run_that_cannot_be_is_refused(fields: dict[str, Any], param: str) -> None:
    bench = Bench()
    source = {"type": "file_content", "content": ITEMS}
    data = {"type": "completions", "model": CHAT, "input_messages": TEMPLATE, "source": source, **fields}
    data = {name: value for name, value in data.items() if value is not None}
    id = bench.eval()
    assert refused(bench.post(f"/{id}/runs", {"data_source": data})) == (400, param)
    assert bench.get(f"/{id}/runs").json["data"] == []
