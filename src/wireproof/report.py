"""What a report file sees of a certification: verdicts, exchanges, spend, and the curl line of each finding.

A file in `reports/` that is named `certify_*.py` has `FILE`, the name of the artifact, and
`render(report: Report) -> str`.
"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email import policy
from email.parser import BytesParser
from itertools import takewhile
from pathlib import PurePath
from typing import Any
from urllib.parse import urlencode

from wireproof.capabilities import Capability, capabilities
from wireproof.claims import Claim
from wireproof.content import load_folder, shelf
from wireproof.exchange import Exchange
from wireproof.fields import FieldAsked
from wireproof.judge import FailOn, Verdict, run_outcome
from wireproof.oracle import Opinion
from wireproof.price import dollars
from wireproof.profiles import rung
from wireproof.secrets import LONGER, MARKER, SHORTER
from wireproof.spec import load_spec

# The worst first: what an area is called when its clauses differ.
RANK = ("fail", "flaky", "inconclusive", "waived", "pass", "not-applicable")
MOST_BODY_IN_CURL = 4_000
MOST_SAID_IN_LINE = 400  # of a talk: more is no line that anybody reads


@dataclass(frozen=True, slots=True)
class Spend:
    """`usd` is None when something that was answered has no published price; the rest costs `usd_at_least`."""

    calls: int
    tokens: int
    usd: float | None
    wall_s: float
    usd_at_least: float = 0.0

    @property
    def price(self) -> str:
        return dollars(self.usd, self.usd_at_least)


@dataclass(frozen=True, slots=True)
class Area:
    """The clauses of one contract file: its worst outcome, and how many clauses came to which."""

    name: str
    outcome: str
    counts: Mapping[str, int]


@dataclass(frozen=True)
class Report:
    """`target` has base_url, model and what else was named; `notes` are sentences for the head of the page.

    `complaints` are waivers to be mended: while there is one, the outcome is nonconformant; `waivers_patch` takes out
    those that excuse nothing, as `patch -p0` applies it. `dialect` is the one whose
    relaxations were applied. `fields` tell what became of each field that was asked for. `opinions` are those of
    the official SDKs, when they were asked; they decide nothing. `claims` tell what became of each feature, when
    there were claims.
    """

    target: Mapping[str, str]
    verdicts: Sequence[Verdict]
    exchanges: Mapping[str, Exchange]
    spend: Spend
    started: str
    version: str
    key_variable: str = "OPENAI_API_KEY"
    fail_on: FailOn = "SHOULD"
    notes: Sequence[str] = ()
    complete: bool = True
    complaints: Sequence[str] = ()
    waivers_patch: str = ""
    dialect: str | None = None
    opinions: Sequence[Opinion] = ()
    fields: Sequence[FieldAsked] = ()
    claims: Sequence[Claim] = ()

    @property
    def failing(self) -> list[Verdict]:
        """The clauses that are not kept; each has at least one finding."""
        return [verdict for verdict in self.verdicts if verdict.findings]

    @property
    def outcome(self) -> str:
        """conformant · nonconformant · incomplete. A run that was cut off is at best incomplete."""
        outcome = "nonconformant" if self.complaints else run_outcome(self.verdicts, self.fail_on)
        return "incomplete" if outcome == "conformant" and not self.complete else outcome

    @property
    def rungs(self) -> Mapping[str, str]:
        """The outcome of each level by its own clauses, in order; a level without any verdict is left out."""
        catalogue = load_spec().catalogue("profiles")
        found: dict[str, list[Verdict]] = {name: [] for name in sorted(catalogue["levels"])}
        for verdict in self.verdicts:
            found[rung(verdict.clause.id, catalogue)].append(verdict)
        judged = {name: some for name, some in found.items() if any(v.outcome != "not-applicable" for v in some)}
        return {name: run_outcome(some, "MUST") for name, some in judged.items()}

    @property
    def reached(self) -> str | None:
        """The highest level that is conformant with all below it; None when not even the first is."""
        whole = takewhile(lambda pair: pair[1] == "conformant", self.rungs.items())
        return max((name for name, _ in whole), default=None)

    @property
    def capabilities(self) -> list[Capability]:
        """What the model was seen to do when asked."""
        return capabilities(self.verdicts, load_spec().catalogue("features"))

    @property
    def counts(self) -> Mapping[str, int]:
        """How many clauses came to which outcome, the worst first; zeros are left out."""
        return _counted(self.verdicts)

    @property
    def areas(self) -> list[Area]:
        by_name: dict[str, list[Verdict]] = {}
        for verdict in self.verdicts:
            by_name.setdefault(verdict.clause.area, []).append(verdict)
        return [Area(name, next(iter(_counted(some))), _counted(some)) for name, some in by_name.items()]

    def curl(self, exchange_id: str) -> str:
        """A command that sends the request again; the key comes from the environment."""
        exchange = self.exchanges.get(exchange_id)
        return curl(exchange, self.target["base_url"], self.key_variable) if exchange else ""


def elsewhere(verdict: Verdict, most: int = 5) -> str:
    """Where else a clause is broken than at its first finding: `also at a, b and 3 more`; "" when nowhere."""
    rest = [str(finding.where) for finding in verdict.findings[1:]]
    if not rest:
        return ""
    more = f" and {len(rest) - most} more" if len(rest) > most else ""
    return f"also at {', '.join(rest[:most])}{more}"


def curl(exchange: Exchange, base_url: str, key_variable: str = "OPENAI_API_KEY") -> str:
    if not key_variable.isidentifier():  # it may come from somebody else's journal, and the line is for a shell
        key_variable = "OPENAI_API_KEY"
    request = exchange.request
    query = f"?{urlencode(request.query)}" if request.query else ""
    if request.is_handshake:
        return _websocat(exchange, f"{base_url.rstrip('/')}{request.path}{query}", key_variable)
    words = ["curl", "-sS"]
    if exchange.streamed:
        words.append("-N")
    place = request.path if request.is_elsewhere else base_url.rstrip("/") + request.path
    words += ["-i", "-X", request.method, shlex.quote(place + query)]
    fields = _form(exchange)
    for name, value in request.headers:
        if name.lower() == "authorization":
            words += ["-H", f'"authorization: {_key_in_shell(value, key_variable)}"']
        elif name.lower() == "content-type" and not fields:
            words += ["-H", shlex.quote(f"{name}: {value}")]
    if fields:
        files = ", ".join(field.partition("=@")[2].partition(";")[0] for option, field in fields if option == "-F")
        note = f"  # {files} as in the body of {exchange.id} in the journal" if files else ""
        return " ".join([*words, *(f"{option} {shlex.quote(field)}" for option, field in fields)]) + note
    if request.body:
        body = request.body.decode("utf-8", "replace")
        if len(body) > MOST_BODY_IN_CURL:
            return " ".join(words) + f"  # with the {len(body):,} bytes of the body of {exchange.id} in the journal"
        words += ["--data-raw", shlex.quote(body)]
    return " ".join(words)


def _websocat(exchange: Exchange, url: str, key_variable: str) -> str:
    """A talk is said again by websocat, which curl has no like of: all lines at once, if there are not too many."""
    told = exchange.socket.messages if exchange.socket else ()
    ours = [message.data.decode("utf-8", "replace") for message in told if message.ours]
    words = ["websocat", "-n"]
    for name, value in exchange.request.headers:
        if name.lower() == "authorization":
            words += ["-H", f'"authorization: {_key_in_shell(value, key_variable)}"']
        elif name.lower() == "sec-websocket-protocol":
            words += ["--protocol", '"' + value.replace(MARKER, f"${key_variable}") + '"']
    words.append(shlex.quote(url.replace("http", "ws", 1)))
    if sum(map(len, ours)) > MOST_SAID_IN_LINE:
        return f"{' '.join(words)}  # and say the {len(ours)} messages of {exchange.id} in the journal"
    said = " ".join(shlex.quote(text) for text in ours)
    return f"printf '%s\\n' {said} | {' '.join(words)}" if ours else " ".join(words)


def _form(exchange: Exchange) -> list[tuple[str, str]]:
    """The fields of a form as options of curl, files by their names; [] when the body is no form that can be read."""
    kind = next((value for name, value in exchange.request.headers if name.lower() == "content-type"), "")
    if not kind.lower().startswith("multipart/form-data"):
        return []
    head = f"content-type: {kind}\r\n\r\n".encode("utf-8", "replace")
    message = BytesParser(policy=policy.HTTP).parsebytes(head + exchange.request.body)
    fields = []
    for part in message.iter_parts() if message.is_multipart() else ():
        name, content = part.get_param("name", header="content-disposition"), part.get_payload(decode=True)
        if not isinstance(name, str) or not isinstance(content, bytes):
            return []
        if file := part.get_filename():
            fields.append(("-F", f"{name}=@{PurePath(file).name};type={part.get_content_type()}"))
        else:
            fields.append(("--form-string", f"{name}={content.decode('utf-8', 'replace')[:MOST_BODY_IN_CURL]}"))
    return fields


def rendered(report: Any, family: str = "certify_") -> dict[str, str]:
    """The text of every artifact of a family of report files by its name; `report` is what they render."""
    texts = {}
    for module in load_folder(shelf("reports"), "reports"):
        if module.__name__.rpartition(".")[2].startswith(family):
            texts[module.FILE] = module.render(report)
    return texts


def _counted(verdicts: Sequence[Verdict]) -> dict[str, int]:
    found: Counter[str] = Counter(verdict.outcome for verdict in verdicts)
    return {outcome: found[outcome] for outcome in RANK if found[outcome]}


def _key_in_shell(value: str, variable: str) -> str:
    forms = {
        f"{MARKER}{LONGER}": f"${{{variable}}}x",
        f"{MARKER}{SHORTER}": f"${{{variable}%?}}",
        MARKER: f"${variable}",
    }
    scheme, _, key = value.partition(" ")
    return f"{scheme} {forms.get(key, key)}"
