"""`wireproof explain`: a clause in words."""

from __future__ import annotations

import difflib
import json
import textwrap
from typing import TYPE_CHECKING, Any

import click

from wireproof.cli import Fail

if TYPE_CHECKING:
    from wireproof.clause import Clause, Probe

EVIDENCE = {"each": "exchange", "together": "pair", "sequence": "sequence", "steps": "steps"}
MODEL_DEPENDENCE = {
    "none": "decided by the protocol alone",
    "some-output": "needs any output of the model",
    "obedience": "needs a model that follows an instruction",
}


@click.command("explain", epilog="Example: wireproof explain sse.done")
@click.argument("clause", required=False)
@click.option(
    "--json", "as_json", is_flag=True, help="Print the whole ledger as JSON: each clause, its kind, its proofs."
)
@click.option("--freeze", metavar="DATE", help="Print the clauses of today as the requirement set of DATE (YAML).")
@click.option("--markdown", is_flag=True, help="Print the whole reference as Markdown (docs/clauses.md).")
def command(clause: str | None, markdown: bool, as_json: bool, freeze: str | None) -> None:
    """Say what CLAUSE demands, where it comes from, and which fault of the stand-in breaks it.

    Without a CLAUSE, list them all.
    """
    from wireproof.certification import load_contracts

    clauses, probes = load_contracts()
    if markdown:
        click.echo(reference(clauses), nl=False)
        return
    if as_json:
        click.echo(json.dumps({"schema_version": 1, "clauses": ledger(clauses)}, indent=1, ensure_ascii=False))
        return
    if freeze:
        click.echo("\n".join([f"about: The clauses in force at {freeze}; never changed afterwards", "clauses:",
                              *(f"  {one.id}: {one.level}" for one in clauses if one.since <= freeze)]))  # fmt: skip
        return
    if clause is None:
        click.echo("\n".join(f"{one.id:<44} {one.level:<6} {one.sentence}" for one in clauses))
        return
    from wireproof.claims import REFUSED

    known = {one.id: one for one in (*clauses, REFUSED)}
    if clause not in known:
        near = difflib.get_close_matches(clause, known, n=3) or [one for one in known if one.startswith(clause)][:3]
        hint = f"; did you mean {' or '.join(near)}?" if near else "; `wireproof explain` lists them all"
        raise Fail(f"no clause is called {clause!r}{hint}")
    click.echo(_explained(known[clause], probes))


def ledger(clauses: list[Clause]) -> list[dict[str, Any]]:
    """Every clause as data: its `kind` is that of its first source, its `faults` are its proofs."""
    from wireproof.profiles import rung
    from wireproof.spec import load_spec

    spec = load_spec()
    sources, levels = spec.catalogue("sources")["sources"], spec.catalogue("profiles")
    faults = proofs()
    return [
        {
            "id": one.id,
            "level": one.level,
            "area": one.area,
            "rung": rung(one.id, levels),
            "text": one.text,
            "source": one.source,
            "kind": sources[one.source.split()[0].strip(",;:")]["kind"],
            "evidence": EVIDENCE[one.evidence.shape],
            "model": one.model,
            "since": one.since,
            "fields": list(one.fields),
            "faults": faults.get(one.id, []),
            **_remedies(one.id),
        }
        for one in clauses
    ]


def _remedies(id: str) -> dict[str, str]:
    from wireproof.remedies import remedy_for

    remedy = remedy_for(id)
    return {"breaks": remedy.breaks, "mend": remedy.mend} if remedy else {}


def proofs() -> dict[str, list[str]]:
    """The faults that break each clause, by its id."""
    from wireproof.standin.faults import all_faults

    found: dict[str, list[str]] = {}
    for fault in all_faults().values():
        found.setdefault(fault.breaks, []).append(fault.id)
    return found


def reference(clauses: list[Clause]) -> str:
    """docs/clauses.md: every clause by area, with the fault that proves it."""
    faults = proofs()
    lines = [
        "# Clauses",
        "",
        f"{len(clauses)} promises, each a pure function of recorded exchanges. Made by `wireproof explain --markdown`;",
        "do not edit. The last column names the faults of the stand-in that break the clause: `certify --fault ID`.",
    ]
    areas = dict.fromkeys(clause.area for clause in clauses)
    for area in areas:
        lines += ["", f"## {area}", "", "| clause | level | promise | source | broken by |", "|---|---|---|---|---|"]
        lines += [
            f"| `{one.id}` | {one.level} | {_cell(one.sentence)} | {_cell(one.source)} | "
            f"{', '.join(f'`{id}`' for id in faults.get(one.id, []))} |"
            for one in clauses
            if one.area == area
        ]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _remedy(id: str) -> list[str]:
    """What breaks, and how to mend it, each in a column of its own."""
    from wireproof.remedies import remedy_for

    remedy = remedy_for(id)
    if remedy is None:
        return []
    told = {"breaks": remedy.breaks, "mend": remedy.mend}
    return [
        *(
            textwrap.fill(text, 100, initial_indent=f"{name:<10}", subsequent_indent=" " * 10)
            for name, text in told.items()
        ),
        "",
    ]


def _explained(clause: Clause, probes: list[Probe]) -> str:
    from wireproof.plan import Models, bind
    from wireproof.spec import load_spec
    from wireproof.standin.faults import all_faults

    spec = load_spec()
    feeding = []
    for probe in probes:
        call = bind(probe.first, Models("chat", "embedding", "completion"))
        operation = spec.operation_for(call.method, call.path)
        asked = call.body if isinstance(call.body, dict) else {}
        if clause.evidence.means(probe.id, operation.id if operation else None, asked):
            feeding.append(probe.id)
    faults = [fault for fault in all_faults().values() if fault.breaks == clause.id]
    paragraphs = [textwrap.fill(" ".join(part.split()), 100) for part in clause.text.split("\n\n")]
    return "\n".join(
        [
            f"{clause.id}  ({clause.level}, {clause.area})",
            "",
            "\n\n".join(paragraphs),
            "",
            *_remedy(clause.id),
            f"source    {clause.source}",
            f"since     {clause.since}",
            f"model     {MODEL_DEPENDENCE[clause.model]}",
            *([f"fields    {', '.join(clause.fields)}: honoured when it is kept"] if clause.fields else []),
            f"judged on {', '.join(feeding) or 'whatever traffic shows it'}",
            *(f"broken by wireproof serve --fault {fault.id}   ({fault.summary})" for fault in faults),
        ]
    )
