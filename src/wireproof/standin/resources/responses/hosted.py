"""Tools that are more than a function: what they did, or what the caller's machine is asked to do, as items.

Made up and deterministic; files, pictures and containers are the stand-in's own.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from wireproof.standin.call import Call
from wireproof.standin.media.pictures import Look, picture
from wireproof.standin.prose import NOUNS, dice
from wireproof.standin.refusals import Refused
from wireproof.standin.resources.containers import active
from wireproof.standin.resources.responses.items import Item
from wireproof.standin.resources.responses.tools import Declared
from wireproof.standin.resources.vector_stores.search import search
from wireproof.standin.tokens import count
from wireproof.standin.world import World

MOST_RESULTS = 20
SHOWN_RESULTS = 3
MOST_QUERY = 100
SIZES = {"1024x1024": (1024, 1024), "1024x1536": (1024, 1536), "1536x1024": (1536, 1024)}
# A partial picture is the picture in squares of so many pixels, fewer each time.
COARSE = (64, 32, 16)
FORMATS = ("png", "jpeg", "webp")


@dataclass(frozen=True)
class Done:
    """Items of one use of a tool; `sources` are what the answer then cites: annotations without their places."""

    items: tuple[Item, ...]
    sources: tuple[Item, ...] = ()
    output_tokens: int = 0


@dataclass(frozen=True)
class Use:
    """`words` are the user's; `meaning` seeds what is made up."""

    world: World = field(repr=False)
    call: Call
    tool: Declared
    words: str
    meaning: str

    @property
    def query(self) -> str:
        return " ".join(self.words.split())[:MOST_QUERY] or "anything"


def use(world: World, call: Call, tool: Declared, words: str, meaning: str) -> Done:
    return USES[tool.family](Use(world, call, tool, words, meaning))


def _web_search(use: Use) -> Done:
    throw = dice("web", use.meaning)
    allowed = ((use.tool.spec.get("filters") or {}).get("allowed_domains")) or ["example.com", "example.org"]
    pages = [(f"https://{domain}/{throw.choice(NOUNS)}", throw.choice(NOUNS).title()) for domain in allowed[:2]]
    action = {
        "type": "search",
        "query": use.query,
        "queries": [use.query],
        "sources": [{"type": "url", "url": url} for url, _ in pages],
    }
    item = {"id": use.call.id("ws_"), "type": "web_search_call", "status": "completed", "action": action}
    cited = tuple({"type": "url_citation", "url": url, "title": title} for url, title in pages)
    return Done((item,), cited, count(use.query))


def _file_search(use: Use) -> Done:
    spec = use.tool.spec
    ranking = spec.get("ranking_options") or {}
    found = search(
        use.world,
        spec["vector_store_ids"],
        use.query,
        spec.get("max_num_results") or MOST_RESULTS,
        spec.get("filters"),
        threshold=ranking.get("score_threshold", 0.0),
    )
    results = [
        {
            "file_id": one.file_id,
            "filename": one.filename,
            "score": one.score,
            "attributes": dict(one.attributes or {}),
            "text": one.text,
        }
        for one in found
    ]
    item = {
        "id": use.call.id("fs_"),
        "type": "file_search_call",
        "status": "completed",
        "queries": [use.query],
        "results": results,
    }
    names = {one.file_id: one.filename for one in found}
    cited = [{"type": "file_citation", "file_id": id, "filename": name} for id, name in names.items()]
    return Done((item,), tuple(cited[:SHOWN_RESULTS]), count(use.query))


def _code_interpreter(use: Use) -> Done:
    throw = dice("code", use.meaning)
    left, right = throw.randint(2, 99), throw.randint(2, 99)
    code = f"left, right = {left}, {right}\nprint(left * right)"
    item = {
        "id": use.call.id("ci_"),
        "type": "code_interpreter_call",
        "status": "completed",
        "container_id": _container(use, use.tool.spec["container"]),
        "code": code,
        "outputs": [{"type": "logs", "logs": f"{left * right}\n"}],
    }
    return Done((item,), (), count(code))


def _container(use: Use, asked: Any) -> str:
    """The id of the container to work in: one that is there and alive, or a new one."""
    if isinstance(asked, str):
        return str(active(use.world, asked)["id"])
    wanted = {name: asked[name] for name in ("file_ids", "memory_limit", "network_policy") if asked.get(name)}
    made = use.world.perform("POST", "/v1/containers", {"name": "auto", **wanted}, key=use.call.key)
    if made.status != 200:
        raise Refused(made)
    return str(made.json["id"])


def _image_generation(use: Use) -> Done:
    spec = use.tool.spec
    asked = {name: spec.get(name) or "auto" for name in ("size", "quality", "background")}
    form = spec.get("output_format") or "png"
    item = {
        "id": use.call.id("ig_"),
        "type": "image_generation_call",
        "status": "completed",
        "action": "generate",
        "background": "opaque" if asked["background"] == "auto" else asked["background"],
        "output_format": form if form in FORMATS else "png",
        "quality": "medium" if asked["quality"] == "auto" else asked["quality"],
        "size": asked["size"] if asked["size"] in SIZES else "1024x1024",
        "revised_prompt": use.query,
        "result": None,
    }
    return Done(({**item, "result": drawn(item)},), (), count(use.query))


def drawn(item: Mapping[str, Any], squares: int = 1) -> str:
    """The picture of an `image_generation_call` in base64, in squares of so many pixels."""
    width, height = SIZES[item["size"]]
    look = Look(
        width=width,
        height=height,
        format=item["output_format"],
        transparent=item["background"] == "transparent",
        blocks=squares,
    )
    return base64.b64encode(picture(item["revised_prompt"], look)).decode()


def _shell(use: Use) -> Done:
    command = "echo " + dice("shell", use.meaning).choice(NOUNS)
    environment = use.tool.spec.get("environment") or {"type": "local"}
    is_hosted = use.tool.is_hosted
    call_id = use.call.id("call_")
    if is_hosted:
        asked = environment.get("container_id") or environment
        environment = {"type": "container_reference", "container_id": _container(use, asked)}
    item = {
        "id": use.call.id("sh_"),
        "type": "shell_call",
        "status": "completed",
        "call_id": call_id,
        "action": {"commands": [command], "timeout_ms": None, "max_output_length": None},
        "environment": environment if is_hosted else {"type": "local"},
    }
    if not is_hosted:
        return Done((item,), (), count(command))
    printed = {
        "stdout": command.removeprefix("echo ") + "\n",
        "stderr": "",
        "outcome": {"type": "exit", "exit_code": 0},
    }
    result = {
        "id": use.call.id("sho_"),
        "type": "shell_call_output",
        "status": "completed",
        "call_id": call_id,
        "max_output_length": None,
        "output": [printed],
    }
    return Done((item, result), (), count(command))


def _local_shell(use: Use) -> Done:
    command = ["echo", dice("local shell", use.meaning).choice(NOUNS)]
    item = {
        "id": use.call.id("lsh_"),
        "type": "local_shell_call",
        "status": "completed",
        "call_id": use.call.id("call_"),
        "action": {"type": "exec", "command": command, "env": {}, "timeout_ms": None, "working_directory": None,
                   "user": None},
    }  # fmt: skip
    return Done((item,), (), len(command))


def _apply_patch(use: Use) -> Done:
    word = dice("patch", use.meaning).choice(NOUNS)
    operation = {"type": "create_file", "path": f"{word}.txt", "diff": f"+{word}\n"}
    item = {
        "id": use.call.id("apc_"),
        "type": "apply_patch_call",
        "status": "completed",
        "call_id": use.call.id("call_"),
        "operation": operation,
    }
    return Done((item,), (), count(operation["diff"]))


def _computer(use: Use) -> Done:
    """A first look at the screen. The preview tool asks for one action at a time, its successor for several."""
    look = {"type": "screenshot"}
    item = {
        "id": use.call.id("cu_"),
        "type": "computer_call",
        "status": "completed",
        "call_id": use.call.id("call_"),
        "pending_safety_checks": [],
    }
    asked = {"action": look} if use.tool.spec["type"] == "computer_use_preview" else {"actions": [look]}
    return Done(({**item, **asked},), (), 1)


USES: Mapping[str, Callable[[Use], Done]] = {
    "web_search": _web_search,
    "file_search": _file_search,
    "code_interpreter": _code_interpreter,
    "image_generation": _image_generation,
    "shell": _shell,
    "local_shell": _local_shell,
    "apply_patch": _apply_patch,
    "computer": _computer,
}
