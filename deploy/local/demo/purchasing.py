"""Plan, sell and spend what is bought for an engagement: travel, and a licence at cost."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from local.demo.engagement_run import EngagementRun

TRAVEL, LICENCE = "travel", "licence"
"""Ids of the lines that are billed at cost."""
_JOURNEYS = 4
_JOURNEY = 450
_LICENCE = 3_600


def estimated_purchases(run: EngagementRun) -> list[dict[str, Any]]:
    """Return what Delivery estimates beside the hours; nothing where the scenario buys nothing."""
    if not run.scenario.purchases:
        return []
    return [
        {
            "title": "Journeys to the customer",
            "kind": "expenses",
            "phase": "Build",
            "amount": run.money(_JOURNEYS * _JOURNEY),
        },
        {
            "title": "Test tool, one year",
            "kind": "licence",
            "phase": "Build",
            "amount": run.money(_LICENCE),
        },
    ]


def purchase_lines(run: EngagementRun) -> list[dict[str, Any]]:
    """Return the lines of a proposal that sell the estimated purchases at cost, up to a cap."""
    if not run.scenario.purchases:
        return []
    return [
        {
            "line": TRAVEL,
            "title": "Travel expenses",
            "kind": "expenses",
            "pricing": "at-cost",
            "price": run.money(_JOURNEYS * _JOURNEY),
        },
        {
            "line": LICENCE,
            "title": "Licence of the test tool",
            "kind": "licence",
            "pricing": "at-cost",
            "price": run.money(_LICENCE),
        },
    ]


async def spend(run: EngagementRun, week: int, friday: date) -> None:
    """Approve the expenses of a week: the licence in the second, journeys in four weeks.

    They are spent on its Friday: work that was on hold over the weekend may begin on a Tuesday.
    """
    if not run.scenario.purchases:
        return
    if week == 2:
        await _approve(run, LICENCE, "Licence of the test tool", _LICENCE, friday)
    if week % 2 and week < 2 * _JOURNEYS:
        await _approve(run, TRAVEL, "Train and hotel", _JOURNEY - 5 * week, friday)


async def _approve(
    run: EngagementRun, line: str, description: str, amount: int, friday: date
) -> None:
    spent = {
        "amount": run.money(amount),
        "description": description,
        "category": "software" if line == LICENCE else "travel",
        "spent_on": friday.isoformat(),
        "line": line,
    }
    await reimburse(run, run.scenario.manager, "paul", spent)


async def reimburse(
    run: EngagementRun, person: str, approver: str, spent: Mapping[str, Any]
) -> str:
    """Submit an expense of a person, approve it, and return its id."""
    expense = await claim(run, person, spent)
    await run.actors.act("delivery", "approve-expense", approver, expense=expense)
    return expense


async def claim(run: EngagementRun, person: str, spent: Mapping[str, Any]) -> str:
    """Submit an expense of a person, and return its id."""
    seen = await run.actors.act_and_see("delivery", "submit-expense", person, **spent)
    expense: str = seen["expenses"]["waiting"][-1]["expense"]
    return expense
