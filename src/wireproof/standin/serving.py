"""Which function serves which operation, and which does what falls due: found by their marks, listed nowhere."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from wireproof.standin.call import Call
from wireproof.standin.wire import Answer, Session

if TYPE_CHECKING:
    from wireproof.standin.world import World

Handler = Callable[["World", Call], Answer]
Open = Callable[["World", Call], Session]
# World, the id of what it concerns, and the moment it fell due.
Deed = Callable[["World", str, float], None]
Function = TypeVar("Function", bound=Callable[..., Any])

RESOURCES = "wireproof.standin.resources"


def serves(*operation_ids: str) -> Callable[[Function], Function]:
    """Marks a `Handler` of these operations."""
    return _mark("serves", operation_ids)


def converses(operation_id: str) -> Callable[[Function], Function]:
    """Marks what opens the session of an operation that is a socket."""
    return _mark("converses", (operation_id,))


def deed(name: str) -> Callable[[Function], Function]:
    """Marks a `Deed`: what `World.at` plans by this name."""
    return _mark("deed", (name,))


@cache
def handlers() -> Mapping[str, Handler]:
    return _marked("serves")


@cache
def sockets() -> Mapping[str, Open]:
    return _marked("converses")


@cache
def deeds() -> Mapping[str, Deed]:
    return _marked("deed")


def _mark(kind: str, names: tuple[str, ...]) -> Callable[[Function], Function]:
    def mark(function: Function) -> Function:
        setattr(function, f"_{kind}", names)
        return function

    return mark


def _marked(kind: str) -> Mapping[str, Any]:
    """Every marked function below RESOURCES by name. ValueError when two have the same."""
    found: dict[str, Any] = {}
    for function in _functions():
        for name in getattr(function, f"_{kind}", ()):
            if found.setdefault(name, function) is not function:
                raise ValueError(f"{name} is served twice: {found[name].__module__} and {function.__module__}")
    return MappingProxyType(found)


def _functions() -> Iterator[Any]:
    package = import_module(RESOURCES)
    for module in pkgutil.walk_packages(package.__path__, f"{RESOURCES}."):
        yield from vars(import_module(module.name)).values()
