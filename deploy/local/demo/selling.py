"""Run sales and contracting, from the opportunity to the signed statement of work (SOW)."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from local.demo.engagement_run import EndOfDemo, EngagementRun
from local.demo.obligations import record_obligations
from local.demo.pricing import agreed_billing, cheaper_lines, proposed_lines
from local.demo.purchasing import estimated_purchases, purchase_lines
from local.demo.recording import lines_of, submit
from local.demo.reference_data import (
    MANAGEMENT_SHARE,
    SELLERS,
    SELLING_COMPANY,
    SPLIT,
    TEMPLATE,
)
from local.demo.scenarios import EARLY_HOURS
from local.demo.working import people


async def sell(run: EngagementRun) -> bool:
    """Run the sale; return whether the deal was won.

    Raises EndOfDemo where the customer does not answer (trouble "slow-customer").
    """
    scenario, actors = run.scenario, run.actors
    await run.on(scenario.begins)
    if "imported" in scenario.incidents:
        await _adopt(run)
    else:
        await actors.open(_opportunity(run), scenario.seller)
    await run.after(3)
    await actors.act(
        "sales",
        "qualify-opportunity",
        scenario.seller,
        budget=True,
        authority=True,
        need=True,
        timing=run.random.random() > 0.3,
        score=str(run.random.randrange(55, 96)),
    )
    if "late-manager" not in scenario.troubles:
        await _assign(run)
    await run.after(4)
    await actors.act(
        "sales",
        "request-estimate",
        scenario.seller,
        scope_summary=f"{scenario.title} for {scenario.customer.name}.",
        deliverables=run.deliverables,
        wanted_finish=run.finishes_on.isoformat(),
    )
    await _estimate(run)
    await _propose(run)
    if scenario.outcome == "lost":
        await run.after(12)
        await actors.act(
            "sales",
            "lose-deal",
            scenario.seller,
            reason=run.random.choice(("price", "timing", "competitor", "no-decision")),
            comment="They thanked us for the clear method and went another way.",
        )
        return False
    if scenario.reconsidered:
        await _lose_and_reopen(run)
    if "slow-customer" in scenario.troubles:
        raise EndOfDemo
    await _win(run)
    return True


async def _lose_and_reopen(run: EngagementRun) -> None:
    """Record that the customer declined, and some days later that they came back."""
    seller = run.scenario.seller
    await run.after(3)
    await run.actors.act("sales", "lose-deal", seller, reason="price", competitor="Northwind")
    await run.after(4)
    why = "The other offer had no data migration in it."
    await run.actors.act("sales", "reopen-deal", seller, why=why)


async def _adopt(run: EngagementRun) -> None:
    """Import the opportunity from a CRM, again when it is lost there; reopen and adopt it."""
    scenario, opened_on = run.scenario, run.scenario.begins - timedelta(days=14)
    opportunity = _opportunity(run)
    row = {
        "sales_agent": next(name for person, name, _ in SELLERS if person == scenario.seller),
        "product": scenario.title,
        "account": scenario.customer.name,
        "deal_stage": "Engaging",
        "engage_date": opened_on.isoformat(),
        "close_date": "",
        "close_value": opportunity["expected_value"]["amount"],
    }
    lost = {
        "deal_stage": "Lost",
        "close_date": (opened_on + timedelta(days=7)).isoformat(),
        "loss_reason": "No decision",
    }
    for cells in (row, row | lost):
        await run.actors.take_over(cells, scenario.customer.currency)
    why = "The customer asked for a proposal after all."
    await run.actors.act("sales", "reopen-deal", scenario.seller, why=why)
    adopted = {name: opportunity[name] for name in ("title", "contacts", "expected_close")}
    await run.actors.act("sales", "adopt-opportunity", scenario.seller, **adopted)


def _opportunity(run: EngagementRun) -> dict[str, Any]:
    scenario = run.scenario
    return {
        "account": run.account,
        "title": scenario.title,
        "contacts": [run.sponsor],
        "expected_value": run.money(round(scenario.hours * 130, -3)),
        "expected_close": (scenario.begins + timedelta(days=scenario.selling_days)).isoformat(),
        "owner": scenario.seller,
        "kind_of_work": "consulting",
    }


async def _assign(run: EngagementRun) -> None:
    scenario = run.scenario
    tier = "light" if scenario.hours < 350 else "critical" if scenario.hours > 1100 else "standard"
    command = ("delivery", "assign-manager")
    if tier == "critical":
        await run.actors.act_for(*command, "vera", "paul", manager=scenario.manager)
    else:
        await run.actors.act(*command, "paul", manager=scenario.manager)
    await run.actors.act(
        "delivery",
        "choose-tier",
        scenario.manager,
        tier=tier,
        reason="Size and novelty of the work.",
    )


async def _estimate(run: EngagementRun) -> None:
    scenario, actors = run.scenario, run.actors
    await run.after(4)
    total = Decimal(scenario.hours) / sum(share for _, _, share in SPLIT)
    lines = [
        {"phase": phase, "role": role, "hours": str((total * share).quantize(Decimal(1)))}
        for phase, role, share in SPLIT
    ]
    management = (Decimal(scenario.hours) * MANAGEMENT_SHARE / 100).quantize(Decimal(1))
    lines.append(
        {
            "phase": "Management",
            "role": "project-manager",
            "hours": str(management),
            "kind": "project-management",
        }
    )
    await actors.act(
        "delivery",
        "submit-estimate",
        "paul" if "late-manager" in scenario.troubles else scenario.manager,
        template=TEMPLATE,
        lines=lines,
        purchases=estimated_purchases(run),
        contingency="5",
        duration_days=scenario.weeks * 7,
        assumptions=["The customer's experts are available one day a week."],
        confidence=run.random.choice(("medium", "high")),
    )
    if "late-manager" not in scenario.troubles:
        await actors.act("delivery", "endorse-estimate", scenario.manager, version=1)


async def _propose(run: EngagementRun) -> None:
    scenario, actors = run.scenario, run.actors
    await run.after(5)
    seen = await actors.look_until(
        "sales",
        scenario.seller,
        lambda state: bool(state["estimates"]) and state["estimates"][-1]["priced"] is not None,
    )
    priced = seen["estimates"][-1]["priced"]["lines"]
    proposal: dict[str, Any] = {
        "company": SELLING_COMPANY[scenario.customer.currency],
        "estimate_version": 1,
        "deliverables": run.deliverables,
        "lines": [*proposed_lines(run, priced), *purchase_lines(run)],
        "promised_start": run.starts_on.isoformat(),
        "promised_finish": run.finishes_on.isoformat(),
        "valid_until": (run.starts_on + timedelta(days=28)).isoformat(),
        "method": (
            "We agree the requirements before we build, report every two weeks in one page, and "
            "change nothing without a priced change order."
        ),
        "assumptions": ["The customer's experts are available one day a week."],
    }
    await actors.act("sales", "draft-proposal", scenario.seller, **proposal)
    if "late-manager" in scenario.troubles:
        await run.after(2)
        await _assign(run)
        await actors.act("delivery", "endorse-estimate", scenario.manager, version=1)
    await _submit(run)
    if "proposal-revised" in scenario.incidents:
        await run.after(2)
        reason = "The customer wants their part of the testing to be named."
        await actors.act("sales", "revise-proposal", scenario.seller, version=1, reason=reason)
        proposal["assumptions"] += ["The customer tests each deliverable within a week."]
        await actors.act("sales", "draft-proposal", scenario.seller, **proposal)
        await _submit(run)
    await actors.act(
        "sales",
        "advance-opportunity",
        scenario.seller,
        pipeline_stage="proposing",
        probability="60",
    )
    if scenario.detailed:
        await actors.act(
            "sales",
            "update-opportunity",
            scenario.seller,
            **{**_opportunity(run), "next_step": "Present the proposal to the sponsor."},
        )


async def _submit(run: EngagementRun) -> None:
    """Submit the last version of the proposal, with an exception where it is below the floor."""
    scenario, actors = run.scenario, run.actors
    version = (await actors.look("sales", scenario.seller))["proposals"][-1]["version"]
    if scenario.below_floor:
        await actors.look_until(
            "sales", scenario.seller, lambda state: state["proposals"][-1]["review"] is not None
        )
        await actors.act(
            "sales",
            "approve-exception",
            next(seller for seller, *_ in SELLERS if seller != scenario.seller),
            version=version,
            why="The first work for this customer; the next phase is sold at the usual rates.",
        )
    await actors.act("sales", "submit-proposal", scenario.seller, version=version)


async def _win(run: EngagementRun) -> None:
    scenario, actors = run.scenario, run.actors
    await run.on(actors.today + (scenario.won - actors.today) / 2)
    await actors.act(
        "sales",
        "advance-opportunity",
        scenario.seller,
        pipeline_stage="negotiating",
        probability="75",
    )
    await run.on(scenario.won)
    seen = await actors.look("sales", scenario.seller)
    proposal = seen["proposals"][-1]
    won = await actors.act_and_see(
        "sales",
        "win-deal",
        scenario.seller,
        proposal_version=proposal["version"],
        billing=agreed_billing(run, proposal["content"]["lines"]),
        payment_terms_days=30,
    )
    run.lines = won["won"]["lines"]


async def contract(run: EngagementRun) -> None:
    """Draft, review, approve and sign the SOW; raises EndOfDemo for the trouble "no-paper"."""
    scenario, actors = run.scenario, run.actors
    if "no-paper" in scenario.troubles:
        raise EndOfDemo
    await run.after(5)
    changed: dict[str, Any] = {}
    if "sow-price" in scenario.troubles:
        changed["lines"] = cheaper_lines(run, 5)
    drafted = await actors.act_and_see(
        "legal", "draft-sow", "carl", scope=f"{scenario.title}, as proposed.", **changed
    )
    content_hash = drafted["statements_of_work"][-1]["content_hash"]
    if scenario.disputed:
        await _dispute_clause(run)
    if "method-chosen" in scenario.incidents:
        await _choose_method(run)
    if "early-start-lapsed" in scenario.incidents:
        await _authorise(run, days=2)
        await run.after(5)
    elif scenario.early_start:
        await _authorise(run)
    if "begun-early" in scenario.troubles:
        await _begin_early(run)
    await run.after(3)
    await actors.act("delivery", "review-sow", scenario.manager, version=1, verdict="approved")
    await run.after(1)
    await actors.act("finance", "review-sow", "fred", version=1, verdict="approved")
    await run.after(1)
    await actors.act("legal", "approve-sow", "carl", version=1)
    await actors.act("legal", "send-sow", "carl", version=1)
    await run.after(4)
    if scenario.disputed:
        await _decline(run)
    for party, person in (("company", "vera"), ("customer", run.sponsor)):
        await actors.act(
            "legal",
            "record-signature",
            "carl",
            party=party,
            person=person,
            content_hash=content_hash,
        )
    await record_obligations(run, content_hash)
    if scenario.disputed:
        await actors.act(
            "sales",
            "confirm-contract",
            scenario.seller,
            content_hash=content_hash,
            reason="Both parties signed what was agreed in the deal.",
        )


async def _dispute_clause(run: EngagementRun) -> None:
    """Record another wording that the customer wants, and that the parties agree to leave out."""
    redlined = await run.actors.act_and_see(
        "legal",
        "redline-sow",
        "carl",
        version=1,
        by="customer",
        clause="Liability",
        text="The supplier is liable without limit.",
    )
    await run.actors.act(
        "legal",
        "resolve-redline",
        "carl",
        redline=redlined["statements_of_work"][-1]["redlines"][-1]["redline"],
        outcome="withdrawn",
        note="The limit of the master agreement applies.",
    )


async def _decline(run: EngagementRun) -> None:
    """Record that the customer does not sign yet, and send the statement of work again."""
    await run.actors.act(
        "legal",
        "decline-signature",
        "carl",
        version=1,
        party="customer",
        person=run.sponsor,
        why="The board approves the budget next week.",
    )
    await run.after(3)
    await run.actors.act("legal", "send-sow", "carl", version=1)


async def _choose_method(run: EngagementRun) -> None:
    await run.actors.act(
        "finance",
        "choose-revenue-method",
        "fred",
        obligation="fixed",
        method="at-acceptance",
        why="The customer can use nothing before it is accepted.",
    )


async def _authorise(run: EngagementRun, days: int = 28) -> None:
    await run.actors.act(
        "legal",
        "authorise-early-start",
        "carl",
        cap_hours="60",
        expires_on=(run.actors.today + timedelta(days=days)).isoformat(),
        reason="The customer's date is fixed and the paper is agreed in substance.",
    )


async def _begin_early(run: EngagementRun) -> None:
    """Submit a week's work done before anything was signed: the early start begins after it."""
    actors = run.actors
    week = actors.today - timedelta(days=actors.today.weekday())
    await run.on(week + timedelta(days=7))
    await _authorise(run)
    for role, hours in EARLY_HOURS.items():
        person = people(run, role, week)[0]
        lines = lines_of(run, person, role, "initiation", week, Decimal(hours))
        await submit(run, week, {person: lines})
