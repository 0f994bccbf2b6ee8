"""A backend with a state file, filled with one of everything, and every answer that a client could read of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from standin.asking import CHAT, Checked, Clock, ask, form, user

from wireproof.spec import load_spec
from wireproof.standin.backend import Backend, Setup
from wireproof.standin.latency import Latency
from wireproof.standin.media.films import Footage, film
from wireproof.standin.serving import handlers
from wireproof.standin.wire import Answer, Ask

BETA = ("openai-beta", "assistants=v2")
# Ids of what no operation lists, by the name of the parameter that takes them.
Known = dict[str, list[str]]
LAST = re.compile(r"(.*)/\{([^{}]+)\}([^{}]*)$")


class House:
    """One state file, and the backends that open it one after another."""

    def __init__(self, path: Path) -> None:
        self.path, self.clock, self.opened = path, Clock(), 0
        self.known: Known = {}
        self.open()

    def open(self) -> None:
        self.opened += 1
        setup = Setup(state=self.path, latency=Latency(ttft_ms=500, itl_ms=50))
        self.one: Backend = Checked(setup, clock=self.clock, boot=f"boot {self.opened}")

    def restart(self) -> None:
        self.one.close()
        self.open()

    def send(self, asked: Ask) -> Any:
        answer = self.one.answer(replace(asked, headers=(*asked.headers, BETA)))
        assert answer.status in (200, 201), (asked.path, answer.body)
        return answer.json if answer.frames is None else list(answer.frames)

    def post(self, path: str, body: Any = None) -> Any:
        return self.send(ask("POST", path, body))

    def get(self, path: str) -> Any:
        return self.send(ask("GET", path))

    def file(self, purpose: str, *lines: Any, name: str = "a.jsonl") -> str:
        data = b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
        return str(self.send(form("/files", {"file": (name, data), "purpose": purpose}))["id"])

    def knows(self, parameter: str, id: str) -> str:
        self.known.setdefault(parameter, []).append(id)
        return id


def everything(house: House) -> dict[str, tuple[int, bytes]]:
    """Every GET that is served, at every id there is: status and body by path.

    Asked twice: to read a container is to use it, and it tells when it was used last.
    """
    _asked(house)
    return {path: (answer.status, answer.body) for path, answer in _asked(house).items()}


def _asked(house: House) -> dict[str, Answer]:
    found: dict[str, Answer] = {}
    for template in sorted(_readable(), key=lambda path: path.count("/")):
        for path in _paths(house, template, found):
            asked = ask("GET", path)
            found[path] = house.one.answer(replace(asked, headers=(*asked.headers, BETA)))
    return found


def unread(paths: dict[str, tuple[int, bytes]]) -> list[str]:
    """The templates that none of these paths is of."""
    patterns = {template: re.compile(re.sub(r"\{[^{}]+\}", "[^/]+", template)) for template in _readable()}
    return [template for template, one in patterns.items() if not any(one.fullmatch(path) for path in paths)]


def _readable() -> list[str]:
    """The paths of what is served by GET; a socket is opened, not read."""
    served = [load_spec().operations[id] for id in handlers()]
    return [one.path for one in served if one.method == "GET" and "101" not in one.node["responses"]]


def _paths(house: House, template: str, found: dict[str, Answer]) -> Iterator[str]:
    """`template` with every id in place of its parameters: those that a list tells, or, without one, the known."""
    parts = LAST.match(template)
    if parts is None:
        yield template
        return
    head, parameter, tail = parts.groups()
    for path in _paths(house, head, found):
        ids = [row["id"] for row in found[path].json["data"]] if path in found else house.known.get(parameter, [])
        for id in ids:
            yield f"{path}/{id}{tail}"


def batches(house: House) -> None:
    lines = [{"custom_id": f"{n}", "method": "POST", "url": "/v1/chat/completions",
              "body": {"model": CHAT, "messages": user(f"Say: {n}")}} for n in range(3)]  # fmt: skip
    file = house.file("batch", *lines)
    house.post("/batches", {"input_file_id": file, "endpoint": "/v1/chat/completions", "completion_window": "24h"})


def stored(house: House) -> None:
    house.post("/chat/completions", {"model": CHAT, "messages": user("Hello"), "store": True, "metadata": {"a": "b"}})


def tuning(house: House) -> None:
    line = {"messages": [*user("Hello"), {"role": "assistant", "content": "Good day"}]}
    body = {"model": CHAT, "training_file": house.file("fine-tune", *[line] * 10), "suffix": "kept",
            "hyperparameters": {"n_epochs": 2}}  # fmt: skip
    house.post("/fine_tuning/jobs", body)


def permissions(house: House) -> None:
    """Of the model that a job has made by now."""
    for job in house.get("/fine_tuning/jobs")["data"]:
        if job["fine_tuned_model"]:
            name = house.knows("fine_tuned_model_checkpoint", job["fine_tuned_model"])
            house.post(f"/fine_tuning/checkpoints/{name}/permissions", {"project_ids": ["proj_a", "proj_b"]})


def evals(house: House) -> None:
    same = {"type": "string_check", "name": "same", "input": "{{sample.output_text}}", "reference": "{{item.q}}",
            "operation": "eq"}  # fmt: skip
    config = {"type": "custom", "item_schema": {"type": "object"}}
    id = house.post("/evals", {"data_source_config": config, "testing_criteria": [same]})["id"]
    source = {"type": "file_content", "content": [{"item": {"q": f"{n}"}} for n in range(30)]}
    prompt = {"type": "template", "template": user("Say: {{item.q}}")}
    data = {"type": "completions", "model": CHAT, "input_messages": prompt, "source": source}
    house.post(f"/evals/{id}/runs", {"data_source": data})


def vectors(house: House) -> None:
    files = [house.file("assistants", f"Rain falls on {n}.".encode(), name=f"{n}.txt") for n in range(3)]
    id = house.post("/vector_stores", {"name": "weather", "file_ids": files[:1]})["id"]
    house.knows("batch_id", house.post(f"/vector_stores/{id}/file_batches", {"file_ids": files[1:]})["id"])


def containers(house: House) -> None:
    id = house.post("/containers", {"name": "room"})["id"]
    house.send(form(f"/containers/{id}/files", {"file": ("a.txt", b"Rain")}))


def threads(house: House) -> None:
    assistant = house.post("/assistants", {"model": CHAT, "name": "a", "tools": [{"type": "code_interpreter"}]})["id"]
    thread = house.knows("thread_id", house.post("/threads", {"messages": user("Hello")})["id"])
    house.post(f"/threads/{thread}/messages", {"role": "user", "content": "How are you?"})
    house.post(f"/threads/{thread}/runs", {"assistant_id": assistant})


def uploads(house: House) -> None:
    """One that waits for its completion."""
    body = {"filename": "b.txt", "purpose": "assistants", "bytes": 8, "mime_type": "text/plain"}
    id = house.knows("upload_id", house.post("/uploads", body)["id"])
    for piece in (b"Rain", b"Snow"):
        house.knows("part_id", house.send(form(f"/uploads/{id}/parts", {"data": ("p", piece)}))["id"])


def conversations(house: House) -> None:
    items = [{"type": "message", **message} for message in user("Hello")]
    id = house.knows("conversation_id", house.post("/conversations", {"items": items, "metadata": {"a": "b"}})["id"])
    house.post("/responses", {"model": CHAT, "input": "How are you?", "conversation": id})


def responses(house: House) -> None:
    """One at once, and one in the background."""
    for more in ({"input": "Hello"}, {"input": "Write 60 words", "background": True}):
        house.knows("response_id", house.post("/responses", {"model": CHAT, **more})["id"])


def videos(house: House) -> None:
    house.post("/videos", {"prompt": "A lighthouse"})
    drawn = film(Footage((("mine", 3),), 320, 180))
    asked = form("/videos/characters", {"name": "Ada", "video": ("a.mp4", drawn)})
    house.knows("character_id", house.send(asked)["id"])


FILLERS: tuple[Callable[[House], None], ...] = (
    batches, stored, tuning, evals, vectors, containers, threads, uploads, conversations, responses, videos,
)  # fmt: skip
