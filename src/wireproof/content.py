"""The four authored folders: where they are, and how a content file becomes a module.

`spec/`, `contracts/`, `load/` and `reports/` are content, not library: no `__init__.py`, loaded by path,
exactly as a user's own contracts are. A wheel carries them inside the package, a checkout at its root.
"""

from __future__ import annotations

import importlib.util
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

PACKAGE = Path(__file__).parent
SHELVES = ("spec", "contracts", "load", "reports")


@cache
def shelf(name: str) -> Path:
    """The folder `name`, one of SHELVES: of the installed wheel, else of the checkout."""
    homes = (PACKAGE / "content", PACKAGE.parents[1])
    for home in homes:
        if name in SHELVES and (home / name).is_dir():
            return home / name
    raise FileNotFoundError(f"no folder {name!r} beside the package; looked in {', '.join(map(str, homes))}")


def load_file(path: Path, shelf_name: str) -> ModuleType:
    """The module at `path`, loaded once and known as `wireproof:<shelf>.<stem>`.

    Its folder stands in for a package, so files of one folder may share readers: `from ._chat import choices`.
    Errors of the file itself (syntax, import) leave as they are: they name its line.
    """
    name = f"{_package(path.parent, shelf_name)}.{path.stem}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # before it runs: dataclasses and pickling look there
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _package(folder: Path, shelf_name: str) -> str:
    """The name under which the files of a folder import each other; another folder gets another name."""
    name = f"wireproof:{shelf_name.replace('.', '_')}"
    while name in sys.modules and sys.modules[name].__path__ != [str(folder)]:
        name += "'"
    if name not in sys.modules:
        package = ModuleType(name)
        package.__path__ = [str(folder)]
        sys.modules[name] = package
    return name


def load_folder(folder: Path, shelf_name: str) -> list[ModuleType]:
    """Every content file of `folder`, in order of name; a leading underscore hides a file."""
    return [load_file(path, shelf_name) for path in sorted(folder.glob("*.py")) if path.name[0] != "_"]
