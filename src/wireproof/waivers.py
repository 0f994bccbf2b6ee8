"""Waivers: findings that are known, owned and dated, so that a red run says something new.

A waiver names a clause (glob), a target (glob over the base URL), at will one finding by its fingerprint, a reason, an
owner, a link and the day it ends. It covers what it names and nothing else: other findings of the clause stay. One
that has expired covers nothing; one whose clause is kept again is stale. Both break the run until the file is mended:
a list of excuses nobody tends hides the next breach.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from fnmatch import fnmatchcase
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from wireproof.judge import Finding, Verdict
from wireproof.report import Report

DRAFT_DAYS = 30
REQUIRED = ("clause", "reason", "owner", "expires")
OPTIONAL = ("target", "fingerprint", "link")


class BadWaivers(ValueError):
    """The file is no list of waivers; the message names the file, the entry and what was expected."""


@dataclass(frozen=True, slots=True)
class Waiver:
    clause: str
    reason: str
    owner: str
    expires: date
    target: str = "*"
    fingerprint: str | None = None
    link: str | None = None
    at: tuple[int, int] | None = field(default=None, compare=False)  # its lines in the file, from 0, the last excluded

    def is_about(self, clause_id: str, base_url: str) -> bool:
        return fnmatchcase(clause_id, self.clause) and fnmatchcase(base_url, self.target)

    def covers(self, finding: Finding) -> bool:
        return self.fingerprint in (None, finding.fingerprint)

    def __str__(self) -> str:
        one = f" ({self.fingerprint})" if self.fingerprint else ""
        return f"{self.clause}{one}, of {self.owner}, until {self.expires}"


@dataclass(frozen=True)
class Waived:
    """`complaints` are waivers to be mended, each with what to do; the run is broken while there is one.

    `stale` are those of them that are to be taken out.
    """

    verdicts: list[Verdict]
    complaints: tuple[str, ...]
    stale: tuple[Waiver, ...] = ()


def read_waivers(path: Path) -> list[Waiver]:
    """`{waivers: [{clause, reason, owner, expires, target?, fingerprint?, link?}]}`. Raises BadWaivers."""
    try:
        text = path.read_text(encoding="utf-8")
        content = yaml.safe_load(text)
    except (yaml.YAMLError, UnicodeDecodeError) as wrong:
        raise BadWaivers(f"{path}: expected YAML, got {' '.join(str(wrong).split())}") from wrong
    rows = content.get("waivers") if isinstance(content, dict) else None
    if not isinstance(rows, list):
        raise BadWaivers(f"{path}: expected an object with the list `waivers`")
    waivers = [_waiver(path, number, row) for number, row in enumerate(rows, 1)]
    return [replace(one, at=at) for one, at in zip(waivers, _places(text), strict=True)]


def _places(text: str) -> list[tuple[int, int]]:
    """The lines of each entry of `waivers`."""
    root: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    (entries,) = (value for key, value in root.value if key.value == "waivers")
    starts = [node.start_mark.line for node in entries.value]
    return list(pairwise([*starts, entries.end_mark.line + (entries.end_mark.column > 0)]))


def patch(path: Path, stale: Sequence[Waiver]) -> str:
    """A unified diff that takes these waivers out of their file; "" for none, or where two stand in one line."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    gone = {number for one in stale if one.at for number in range(*one.at)}
    if not gone or any(one.at is None or one.at[0] == one.at[1] for one in stale):
        return ""
    left = [line for number, line in enumerate(lines) if number not in gone]
    if not any(line.lstrip().startswith("- ") for line in left):
        left = [line.replace("waivers:", "waivers: []") if line.startswith("waivers:") else line for line in left]
    return "".join(difflib.unified_diff(lines, left, str(path), str(path)))


def _waiver(path: Path, number: int, row: Any) -> Waiver:
    where = f"{path}, waiver {number}"
    if not isinstance(row, dict):
        raise BadWaivers(f"{where}: expected an object with {', '.join(REQUIRED)}")
    if missing := [name for name in REQUIRED if not row.get(name)]:
        raise BadWaivers(f"{where}: expected {', '.join(missing)}; every excuse has a reason, an owner and an end")
    if unknown := set(row) - {*REQUIRED, *OPTIONAL}:
        raise BadWaivers(
            f"{where}: expected none but {', '.join((*REQUIRED, *OPTIONAL))}, got {', '.join(sorted(unknown))}"
        )
    if not isinstance(row["expires"], date):
        raise BadWaivers(f"{where}: expected `expires` as a date such as 2027-01-31, got {row['expires']!r}")
    told: dict[str, Any] = {name: str(value) for name, value in row.items() if name != "expires"}
    return Waiver(expires=row["expires"], **told)


def waived(verdicts: Sequence[Verdict], waivers: Sequence[Waiver], base_url: str, today: date) -> Waived:
    """The verdicts after the waivers: what is covered wholly is `waived`, what is covered in part fails by the rest."""
    in_force = [one for one in waivers if one.expires >= today]
    used: set[int] = set()
    found = [_after(verdict, in_force, base_url, used) for verdict in verdicts]
    expired = [_expired(one, verdicts, base_url) for one in waivers if one.expires < today]
    stale = {one: told for one in in_force if id(one) not in used and (told := _stale(one, verdicts, base_url))}
    return Waived(found, tuple(filter(None, [*expired, *stale.values()])), tuple(stale))


def excused(report: Report, waivers: Sequence[Waiver], today: date, path: Path) -> Report:
    """The report after the waivers of the file at `path`."""
    after = waived(report.verdicts, waivers, report.target["base_url"], today)
    return replace(report, verdicts=after.verdicts, complaints=after.complaints, waivers_patch=patch(path, after.stale))


def _after(verdict: Verdict, waivers: Sequence[Waiver], base_url: str, used: set[int]) -> Verdict:
    if not verdict.findings:
        return verdict
    mine = [one for one in waivers if one.is_about(verdict.clause.id, base_url)]
    covered = {finding: [one for one in mine if one.covers(finding)] for finding in verdict.findings}
    used.update(id(one) for some in covered.values() for one in some)
    left = tuple(finding for finding, some in covered.items() if not some)
    if left:
        return replace(verdict, findings=left)
    reason = "; ".join(dict.fromkeys(f"{one.reason} ({one.owner}, until {one.expires})" for one in mine))
    return replace(verdict, outcome="waived", findings=(), reason=reason)


def _expired(waiver: Waiver, verdicts: Sequence[Verdict], base_url: str) -> str:
    if not any(waiver.is_about(verdict.clause.id, base_url) for verdict in verdicts):
        return ""
    return f"this waiver has expired: {waiver}; mend what it excuses, or renew it with a reason"


def _stale(waiver: Waiver, verdicts: Sequence[Verdict], base_url: str) -> str:
    """Only a clause that was judged can show that a waiver has nothing left to excuse."""
    about = [verdict for verdict in verdicts if waiver.is_about(verdict.clause.id, base_url)]
    if not any(verdict.outcome in ("pass", "fail") for verdict in about):
        return ""
    return f"this waiver excuses nothing any more: {waiver}; take it out of the file"


def draft(verdicts: Sequence[Verdict], base_url: str, owner: str, today: date) -> str:
    """A file of waivers for all findings of a run, to be given reasons, ending in DRAFT_DAYS."""
    rows = [
        {
            "clause": verdict.clause.id,
            "target": base_url,
            "fingerprint": fingerprint,
            "reason": f"expected {finding.expected}, got {finding.got}",
            "owner": owner,
            "expires": today + timedelta(days=DRAFT_DAYS),
        }
        for verdict in verdicts
        for fingerprint, finding in {finding.fingerprint: finding for finding in verdict.findings}.items()
    ]
    return yaml.safe_dump({"waivers": rows}, sort_keys=False, allow_unicode=True, width=120)
