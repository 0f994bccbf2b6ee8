"""`wireproof plan`: what certify would send and what it would cost, before the first byte."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from wireproof.cli import Fail
from wireproof.cli.measures import claims_template
from wireproof.cli.orders import order_from, remote, standin_models, target_options

if TYPE_CHECKING:
    from wireproof.plan import Plan


@click.command(
    "plan",
    epilog="Examples: wireproof plan --base-url https://host/v1 --model gpt-4.1-mini --only chat.stream; "
    "wireproof plan --claims-template > claims.yaml",
)
@target_options
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
@click.option("--claims-template", is_flag=True, help="Print a file for --claims with every feature instead.")
def command(**options: Any) -> None:
    """Print the probes, their tokens and their price at published prices, without sending anything.

    Token counts are upper estimates. Without --base-url the plan is that for the stand-in.
    """
    from wireproof.certification import prepare
    from wireproof.fetch import Target
    from wireproof.order import WrongOrder

    if options.pop("claims_template"):
        click.echo(claims_template(), nl=False)
        return
    as_json = options.pop("as_json")
    if options["base_url"]:
        if not options["model"]:
            raise Fail("--model: expected the id of a chat model; plan sends nothing, so it can't look it up")
        target, models = remote(options, ask=False)
        standin = False
    else:
        target, models, standin = Target("http://127.0.0.1/v1", "sk-standin"), standin_models(options), True
    try:
        clauses, plan = prepare(order_from(options, target, models, standin=standin))
    except WrongOrder as wrong:
        raise Fail(str(wrong)) from wrong
    click.echo(_json(plan) if as_json else _text(plan, len(clauses)))


def _json(plan: Plan) -> str:
    probes = [
        {
            "id": probe.id,
            "about": probe.about,
            "method": probe.first.method,
            "path": probe.first.path,
            "calls": plan.costs[probe.id].calls,
            "prompt_tokens": plan.costs[probe.id].prompt_tokens,
            "completion_tokens": plan.costs[probe.id].completion_tokens,
            "usd": plan.costs[probe.id].usd,
        }
        for probe in plan.probes
    ]
    uncovered = list(plan.uncovered)
    left_out = [{"id": planned.probe, "reason": planned.unsent} for planned in plan.left_out]
    cost = plan.cost
    total = {
        "calls": cost.calls,
        "tokens": cost.tokens,
        "usd": cost.usd,
        "usd_at_least": cost.usd_at_least,
        "price": plan.price,
    }
    return json.dumps(
        {"schema_version": 1, "total": total, "probes": probes, "left_out": left_out, "uncovered": uncovered}, indent=1
    )


def _text(plan: Plan, clauses: int) -> str:
    from wireproof.cover import not_covered

    width = max((len(probe.id) for probe in plan.probes), default=0)
    lines = [f"{'probe':<{width}}  calls  tokens  about"]
    for probe in plan.probes:
        cost = plan.costs[probe.id]
        lines.append(f"{probe.id:<{width}}  {cost.calls:>5}  {cost.tokens:>6}  {probe.about}")
    left = [(planned.probe, (planned.unsent or "").removeprefix("left out ")) for planned in plan.left_out]
    lines += [f"{probe:<{width}}  left out: {reason}" for probe, reason in left]
    cost = plan.cost
    total = f"{len(plan.probes)} probes for {clauses} clauses: at most {cost.calls} exchanges, {cost.tokens:,} tokens"
    lines += ["", f"{total}, {plan.price}"]
    if plan.uncovered:
        lines.append(not_covered(plan.uncovered))
    return "\n".join(lines)
