"""Provide contracts, months and expected revenue for the tests of revenue."""

from datetime import date

from contracts.finance import RevenueRecognised
from contracts.values import BillingItem, RevenueMethod
from finance.budgeting import ChooseRevenueMethod
from finance.invoicing import RecordPayment
from finance.revenue import RecogniseRevenue
from finance.state import Engagement
from testkit.scenario import Scenario
from tests.unit.finance.life import (
    ESTIMATE,
    PROPOSED,
    SIGNED,
    SOW,
    SOW_SIGNED,
    accepted,
    contracted,
    eur,
    hearing,
    issued,
    opened,
    time,
)


def recognise(month: str) -> RecogniseRevenue:
    return RecogniseRevenue(month=f"2026-{month}")


def entry(month: str, amount: int | str, cumulative: int | str, method: RevenueMethod):
    return RevenueRecognised(
        month=f"2026-{month}", method=method, amount=eur(amount), cumulative=eur(cumulative)
    )


def year_end(engagement: Scenario[Engagement]) -> Scenario[Engagement]:
    return engagement.on(date(2027, 1, 1))


def at_acceptance(*schedule: BillingItem) -> Scenario[Engagement]:
    """Return a contract with revenue at acceptance, by this schedule or the usual one."""
    sow = SOW.model_copy(update={"billing_schedule": schedule or SOW.billing_schedule})
    papers = opened().when_consumed(ESTIMATE, PROPOSED, sow).then_accepted()
    chosen = papers.after(ChooseRevenueMethod(method="at-acceptance", why="Short."))
    return hearing(chosen.on(SIGNED), SOW_SIGNED)


def delivered() -> Scenario[Engagement]:
    """Return a contract whose work is all accepted, invoiced and paid by 4 August."""
    done = hearing(contracted(), time("a", role="architect", hours=40))
    for deliverable in ("design", "portal"):
        done = hearing(done, accepted(deliverable, date(2026, 6, 1)))
    done = done.when_deadline("due-care").then_accepted()
    amounts = {"start": 5_000, "design": 6_000, "portal": 7_000, "care": 2_000}
    for number, (item, amount) in enumerate(amounts.items(), start=1):
        done = issued(done, f"invoice-{item}", f"2026-{number:05}", date(2026, 8, 4))
        done = done.after(RecordPayment(invoice=f"invoice-{item}", amount=eur(amount)))
    return done
