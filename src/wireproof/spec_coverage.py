"""Which operations are described, of those that the official Python SDK exposes.

The SDK is read, not imported: each request of a resource is one call, `self._get(path_template("/files/{id}", ...))`,
which its syntax tree shows whole. A path with a query in it (`/responses?beta=true`) is the operation without.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib.machinery import PathFinder
from pathlib import Path
from re import search, sub
from typing import Any

# What a resource of the SDK calls on itself to send a request. A list may be asked for with another method, by keyword.
SENDS = {"_get": "GET", "_post": "POST", "_put": "PUT", "_patch": "PATCH", "_delete": "DELETE", "_get_api_list": "GET"}


@dataclass(frozen=True)
class Exposed:
    """One operation of the SDK: `client.<resource>.<call>` sends `method` to `path`."""

    method: str
    path: str
    resource: str
    call: str

    @property
    def key(self) -> tuple[str, str]:
        return keyed(self.method, self.path)


@dataclass(frozen=True)
class Unread:
    """A request whose path is no literal: `at` is its file and line."""

    at: str
    call: str


@dataclass(frozen=True)
class Surface:
    """Operations that are not described on purpose, by globs over their paths."""

    name: str
    paths: tuple[str, ...]

    def covers(self, path: str) -> bool:
        return any(fnmatchcase(path, glob) for glob in self.paths)


@dataclass(frozen=True)
class Resource:
    name: str
    described: int
    exposed: int


@dataclass(frozen=True)
class Coverage:
    """`later`: left out by surface; `missing`: exposed, described nowhere; `beyond`: described, not exposed."""

    resources: tuple[Resource, ...]
    later: Mapping[str, tuple[Exposed, ...]]
    missing: tuple[Exposed, ...]
    beyond: tuple[str, ...]
    unread: tuple[Unread, ...]


def surfaces_of(catalogue: Mapping[str, Any]) -> list[Surface]:
    return [Surface(row["name"], tuple(row["paths"])) for row in catalogue["later"]]


def coverage(
    described: Iterable[tuple[str, str]], found: Sequence[Exposed | Unread], surfaces: Sequence[Surface]
) -> Coverage:
    """`described`: method and path of every operation of ours."""
    ours = {keyed(*one): f"{one[0]} {one[1]}" for one in described}
    exposed = [one for one in found if isinstance(one, Exposed)]
    later: dict[str, list[Exposed]] = {surface.name: [] for surface in surfaces}
    counts: dict[str, list[bool]] = defaultdict(list)
    missing = []
    for one in exposed:
        left_out = next((surface for surface in surfaces if surface.covers(one.path)), None)
        if one.key not in ours and left_out is not None:
            later[left_out.name].append(one)
            continue
        counts[one.resource].append(one.key in ours)
        if one.key not in ours:
            missing.append(one)
    theirs = {one.key for one in exposed}
    return Coverage(
        resources=tuple(Resource(name, sum(known), len(known)) for name, known in sorted(counts.items())),
        later={name: tuple(ones) for name, ones in later.items()},
        missing=tuple(missing),
        beyond=tuple(sorted(words for key, words in ours.items() if key not in theirs)),
        unread=tuple(one for one in found if isinstance(one, Unread)),
    )


def installed_sdk(path: Sequence[str] | None = None) -> Path | None:
    """The folder of the package `openai` on `path` (`sys.path` when None), found without importing it."""
    found = PathFinder.find_spec("openai", path)
    return Path(found.origin).parent if found is not None and found.origin is not None else None


def version_of(package: Path) -> str:
    file = package / "_version.py"
    told = search(r'__version__ = "([^"]+)"', file.read_text()) if file.exists() else None
    return told[1] if told else "of unknown version"


def keyed(method: str, path: str) -> tuple[str, str]:
    """An operation whatever its path parameters are called."""
    return method, sub(r"\{[^}]+\}", "{}", path.partition("?")[0])


def exposed(package: Path) -> list[Exposed | Unread]:
    """Every operation of the SDK in `package` once, as its synchronous client calls it first."""
    found: dict[tuple[str, str], Exposed | Unread] = {}
    for file in sorted((package / "resources").rglob("*.py")):
        for one in _requests(file, package):
            key = one.key if isinstance(one, Exposed) else (one.at, "")
            known = found.setdefault(key, one)
            if isinstance(known, Exposed) and isinstance(one, Exposed) and "?" in known.path and "?" not in one.path:
                found[key] = one
    return list(found.values())


def calls_of(package: Path) -> Iterator[Exposed]:
    """Every call of the SDK in `package` that sends a request, also when several send the same one."""
    for file in sorted((package / "resources").rglob("*.py")):
        yield from (one for one in _requests(file, package) if isinstance(one, Exposed))


def _requests(file: Path, package: Path) -> Iterator[Exposed | Unread]:
    resource = _resource(file.relative_to(package / "resources"))
    for owner in ast.parse(file.read_bytes()).body:
        if not isinstance(owner, ast.ClassDef) or owner.name.startswith("Async"):
            continue
        for method in owner.body:
            if isinstance(method, ast.FunctionDef):
                for node in ast.walk(method):
                    if isinstance(node, ast.Call) and (verb := _verb(node)):
                        path = _path(node)
                        if path is not None:
                            yield Exposed(verb, path, resource, method.name)
                        else:
                            yield Unread(f"{file.relative_to(package)}:{node.lineno}", f"{resource}.{method.name}")


def _resource(file: Path) -> str:
    """`beta/threads/runs/runs.py` holds `beta.threads.runs`."""
    parts = file.with_suffix("").parts
    return ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == parts[-2] else parts)


def _verb(call: ast.Call) -> str | None:
    send = call.func
    if not isinstance(send, ast.Attribute) or not isinstance(send.value, ast.Name) or send.value.id != "self":
        return None
    named = next((word.value for word in call.keywords if word.arg == "method"), None)
    if send.attr in SENDS and isinstance(named, ast.Constant):
        return str(named.value).upper()
    return SENDS.get(send.attr)


def _path(call: ast.Call) -> str | None:
    """The path as a template; None when it is neither a literal nor one handed to `path_template`."""
    first = call.args[0] if call.args else None
    if isinstance(first, ast.Call) and first.args:
        first = first.args[0]
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None
