"""Contingency hours in rules that compare hours, and the amount at stake of a disconnect."""

from decimal import Decimal

import pytest

from contracts import delivery, finance, legal, sales
from contracts.event import Event
from contracts.lines import LineRate
from contracts.purchases import EstimatedPurchase
from contracts.values import RoleHours
from gateway.portfolio.figures import contribution
from gateway.rules import judge
from tests.amounts import eur, per_hour
from tests.builders import Life, line_change
from tests.unit.gateway.test_disconnects import findings, only, rebaselined
from tests.unit.gateway.test_engagement_view import view_of

BOUGHT = EstimatedPurchase(title="Database", kind="licence", phase="Build", amount=eur(300))


def sold_with_contingency(percent: int, sold: int | None = None, *, bought: bool = False) -> Life:
    """Return an engagement with this percentage of contingency estimated, and `sold` percent sold.

    Without `sold`, the estimated contingency is sold. With `bought`, a licence is added.
    """
    life, more = Life(), 1 + Decimal(percent if sold is None else sold) / 100
    for recorded in Life().kicked_off().events:
        event: Event = recorded.event
        if isinstance(event, delivery.EstimateSubmitted):
            purchases = (BOUGHT,) if bought else ()
            event = event.model_copy(
                update={"contingency": Decimal(percent), "purchases": purchases}
            )
        if isinstance(event, finance.EstimatePriced):
            priced = tuple(
                line.model_copy(
                    update={
                        "hours": line.hours * more,
                        "amount": eur(str(line.amount.amount * more)),
                    }
                )
                for line in event.lines
            )
            event = event.model_copy(update={"lines": priced})
        if isinstance(event, sales.ProposalDrafted | sales.DealWon | legal.SowDrafted):
            lines = tuple(
                line.model_copy(
                    update={
                        "rates": (LineRate(role="engineer", rate=per_hour(100)),),
                        "hours": tuple(
                            RoleHours(role=each.role, hours=each.hours * more)
                            for each in line.hours
                        ),
                    }
                )
                for line in event.lines
            )
            event = event.model_copy(update={"lines": lines})
        life.say((recorded.occurred_at.date() - life.begins).days, event)
    return life


def test_a_plan_may_use_the_contingency_that_was_sold_and_need_not() -> None:
    assert findings(sold_with_contingency(20), 45) == {}
    life = sold_with_contingency(20)
    assert findings(rebaselined(life, hours=960, management=192), 45) == {}


def test_purchases_are_shown_by_kind_and_are_not_counted_as_hours() -> None:
    life = sold_with_contingency(20, bought=True)
    assert findings(life, 45) == {}
    [estimate] = view_of(life.events).delivery.estimates.values()
    assert (estimate.hours, estimate.purchases) == (Decimal(1_152), {"licence": eur(300)})


def test_fewer_hours_than_estimated_or_more_than_contingency_allows_is_a_difference() -> None:
    less = only(rebaselined(sold_with_contingency(20), hours=608), 45)
    assert less.finding == "sold-hours-differ"
    assert less.sentence == (
        "960 h of engineer were sold, 160 h of them contingency; the baseline plans 608 h: "
        "less work than the customer pays for."
    )
    assert less.at_stake == eur(19_200)

    more = only(rebaselined(sold_with_contingency(20), hours=1152), 45)
    assert more.sentence.endswith("the baseline plans 1152 h: more work than is paid for.")
    assert more.at_stake == eur(19_200)


def test_hours_sold_beyond_the_estimate_are_not_contingency() -> None:
    found = findings(sold_with_contingency(20, sold=50), 45)
    assert found["sold-hours-differ"].sentence.startswith(
        "1200 h of engineer were sold, 160 h of them contingency; the baseline plans 800 h"
    )
    assert found["sold-hours-differ"].at_stake == eur(24_000)


def test_contingency_that_was_not_sold_does_not_count() -> None:
    finding = only(rebaselined(sold_with_contingency(20, sold=0), hours=640), 45)
    assert finding.sentence.startswith("800 h of engineer were sold, the baseline plans 640 h")
    assert finding.at_stake == eur(16_000)


def test_project_management_below_what_contingency_allows_differs() -> None:
    finding = only(rebaselined(sold_with_contingency(20), management=80), 45)
    assert finding.finding == "project-management-differs"
    assert finding.sentence == (
        "The contract sells 192 h of project management, 32 h of them contingency; "
        "the baseline plans 80 h."
    )


@pytest.mark.parametrize("price", [-9_000, 9_000])
def test_the_amount_at_stake_is_never_negative(price: int) -> None:
    life = Life().worked(8)
    life.say(
        60,
        delivery.ChangeRequested(
            change="C-1", requested_by="cora", description="Less.", requested_on=life.day(60)
        ),
        finance.ChangePriced(
            change="C-1", changes=(line_change("build", price),), price=eur(price)
        ),
    )
    life.say(90, delivery.ChangeImplemented(change="C-1", implemented_on=life.day(90)))
    view = view_of(life.events)
    found = judge(view, life.day(100)).values()

    assert [each.at_stake for each in found] == [eur(9_000)]
    assert contribution(view, found)["EUR.at-stake"] == Decimal(9_000)
