"""test_<clause>.py: a test that fails until the finding is gone. It needs pytest and wireproof, nothing else."""

from __future__ import annotations

from pprint import pformat
from textwrap import indent

from wireproof.exhibit import Exhibit

FILE = "test_finding.py"
WIDTH = 100


def render(exhibit: Exhibit) -> str:
    body = [*_request(exhibit)] if exhibit.stands_alone else [*_flow(exhibit)]
    return "\n".join([*_head(exhibit), *body, ""])


def _head(exhibit: Exhibit) -> list[str]:
    clause = exhibit.clause
    return [
        f'"""{clause.level} {clause.id}: {_safe(clause.sentence)}',
        "",
        _safe(exhibit.told),
        _safe(f"Seen at {exhibit.base_url}, {exhibit.seen}, by wireproof {exhibit.version}."),
        f"The key comes from {exhibit.key_variable}; BASE_URL asks another target.",
        '"""',
        "",
        "import os",
        "",
    ]


def _request(exhibit: Exhibit) -> list[str]:
    """Of a finding that one request shows."""
    call = exhibit.call
    more = {"query": dict(call.query), "headers": dict(call.headers), "contracts": list(exhibit.contracts)}
    named = [f"{name}={value!r}," for name, value in more.items() if value]
    if call.auth != "key":
        named.append(f"auth={call.auth!r},")
    return [
        "from wireproof.again import verdict",
        "",
        f"BASE_URL = os.environ.get('BASE_URL', {exhibit.base_url!r})",
        f"BODY = {pformat(call.body, width=WIDTH, sort_dicts=False)}",
        "",
        "",
        f"def test_{exhibit.name}():",
        "    found = verdict(",
        f"        {exhibit.clause.id!r}, {call.method!r}, {call.path!r}, BODY,",
        f"        base_url=BASE_URL, key=os.environ.get({exhibit.key_variable!r}), probe={exhibit.exchange.probe!r},",
        *(indent(line, " " * 8) for line in named),
        "    )",
        "    assert found.outcome == 'pass', found.findings or found.reason",
    ]


def _flow(exhibit: Exhibit) -> list[str]:
    """Of a finding that takes several exchanges: the clause is certified with all that it is judged on."""
    words = ["certify", "--only", exhibit.clause.id, "--profile", "all", "--fail-on", "may"]
    words += [word for folder in exhibit.contracts for word in ("--contracts", folder)]
    words += exhibit.models
    words += ["--api-key-env", exhibit.key_variable]
    return [
        "from wireproof.cli import run",
        "",
        f"BASE_URL = os.environ.get('BASE_URL', {exhibit.base_url!r})",
        f"ASKED = {pformat(words, width=WIDTH)}",
        "",
        "",
        f"def test_{exhibit.name}(tmp_path):",
        "    assert run([*ASKED, '--base-url', BASE_URL, '--out', str(tmp_path)]) == 0",
    ]


def _safe(text: str) -> str:
    """Fit for a docstring."""
    return text.replace("\\", "\\\\").replace('"""', "'''")
