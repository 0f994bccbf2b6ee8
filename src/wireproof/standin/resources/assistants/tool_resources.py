"""What the tools of assistants and threads work on: files for code, vector stores for searches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from wireproof.standin.call import Call
from wireproof.standin.refusals import Refused, invalid, not_found
from wireproof.standin.store import Row
from wireproof.standin.wire import Answer
from wireproof.standin.world import World

MOST_CODE_FILES = 20


def resources(world: World, call: Call, given: Mapping[str, Any] | None, param: str = "tool_resources") -> Row:
    """As answered: with ids alone, of stores that are there; those that are described are made."""
    made: Row = {}
    given = given or {}
    if "code_interpreter" in given:
        file_ids = given["code_interpreter"].get("file_ids", [])
        check_files(world, file_ids, f"{param}.code_interpreter.file_ids")
        made["code_interpreter"] = {"file_ids": file_ids}
    if "file_search" in given:
        search = given["file_search"]
        ids = [_made_store(world, call, one) for one in search.get("vector_stores", ())]
        for id in search.get("vector_store_ids", ()):
            _inner(world, call, "GET", f"/vector_stores/{id}")
            ids.append(id)
        made["file_search"] = {"vector_store_ids": ids}
    return made


def check_files(world: World, ids: Iterable[str], param: str) -> None:
    for id in ids:
        if id not in world.table("files"):
            raise not_found(f"No file found with id '{id}'.", param)


def attached(world: World, call: Call, had: Row, attachments: Iterable[Mapping[str, Any]]) -> Row:
    """The resources of a thread once a message brings these files: they are its from now on."""
    code = list(had.get("code_interpreter", {}).get("file_ids", []))
    stores = list(had.get("file_search", {}).get("vector_store_ids", []))
    searched = []
    for one in attachments:
        kinds = [tool["type"] for tool in one["tools"]]
        if "code_interpreter" in kinds and one["file_id"] not in code:
            code.append(one["file_id"])
        if "file_search" in kinds:
            searched.append(one["file_id"])
    if len(code) > MOST_CODE_FILES:
        raise invalid(f"A thread has at most {MOST_CODE_FILES} files for the code interpreter.", "attachments")
    if searched and stores:
        for file_id in searched:
            _inner(world, call, "POST", f"/vector_stores/{stores[0]}/files", {"file_id": file_id})
    elif searched:
        stores = [_inner(world, call, "POST", "/vector_stores", {"file_ids": searched})["id"]]
    return {
        **had,
        **({"code_interpreter": {"file_ids": code}} if code else {}),
        **({"file_search": {"vector_store_ids": stores}} if stores else {}),
    }


def _made_store(world: World, call: Call, given: Mapping[str, Any]) -> str:
    """A store as it is described on the way; what else is said of it says nothing."""
    known = {name: given[name] for name in ("file_ids", "chunking_strategy", "metadata") if name in given}
    id: str = _inner(world, call, "POST", "/vector_stores", known)["id"]
    return id


def _inner(world: World, call: Call, method: str, path: str, body: Any = None) -> Any:
    """The answer to an inner request; what that refuses, this one refuses."""
    answer: Answer = world.perform(method, f"/v1{path}", body, key=call.key)
    if answer.status >= 400:
        raise Refused(answer)
    return answer.json
