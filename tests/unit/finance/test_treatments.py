"""Check the three treatments of an amendment, and how one is chosen. Source: IFRS 15.18-21."""

from datetime import date

import pytest

from contracts.event import Event
from contracts.finance import BudgetAmended, TreatmentChosen
from contracts.legal import AmendmentDrafted
from contracts.lines import BillingItem, LineChange, NewLine, Treatment
from contracts.money import Money
from finance.budgeting.decisions import ChooseTreatment
from finance.engagement import Engagement
from testkit.scenario import Scenario, like
from tests.amounts import eur
from tests.unit.finance.builders import (
    ESTIMATE,
    HOURLY_SOW,
    ID,
    PROPOSED,
    REPORT,
    SIGNED,
    SOW_SIGNED,
    TERMINATED,
    accepted,
    amendment,
    assessed,
    contracted,
    entry,
    expense,
    fixed_line,
    hearing,
    line_change,
    method,
    opened,
    recognise,
    recognised,
    role_hours,
    scope,
    sow_of,
    year_end,
)

APRIL_20, MAY_20 = date(2026, 4, 20), date(2026, 5, 20)
NEW = NewLine(title="More", pricing="fixed")


def drafted(*changes: LineChange) -> AmendmentDrafted:
    """Return the draft of the amendment that `amendment` signs."""
    signed = amendment(*changes)
    return AmendmentDrafted(
        engagement=ID,
        company="us",
        customer="acme",
        template="amendment",
        template_version=1,
        amendment=signed.amendment,
        change=signed.change,
        content_hash=signed.content_hash,
        changes=signed.changes,
        price_delta=signed.price_delta,
        finishes_on=signed.finishes_on,
        scope_delta="More.",
    )


def choose(treatment: Treatment, **more: str) -> ChooseTreatment:
    terms = {"amendment": "A-CR-1", "why": "Distinct.", **more}
    return ChooseTreatment.model_validate({"treatment": treatment, **terms})


def costing(price: int, hours: int) -> Scenario[Engagement]:
    """Return a contract of a fixed line; each hour is expected to cost 50 EUR."""
    item = BillingItem(
        item="all", kind="on-acceptance", amount=eur(price), deliverables=("design", "portal")
    )
    return contracted(sow_of(fixed_line(item, price=eur(price), hours=role_hours(developer=hours))))


def spent(amount: int, on: date) -> Event:
    return expense(f"x-{on}", eur(amount), on, billable=False, line="work")


def changed(
    engagement: Scenario[Engagement],
    treatment: Treatment,
    price: int,
    hours: int,
    new: NewLine | None = None,
) -> Scenario[Engagement]:
    """Return the scenario after a change of price and hours was signed on 27 April."""
    line = "more" if new else "work"
    change = line_change(price, line=line, new=new)
    assessment = assessed(scope(line, developer=hours, new=new))
    known = hearing(engagement, assessment, drafted(change))
    signed = known.on(APRIL_20).after(choose(treatment)).when_consumed(amendment(change))
    [amended] = [each for each in signed.events if isinstance(each, BudgetAmended)]
    assert (amended.treatment, amended.why) == (treatment, "Distinct.")
    return signed.after


def earned(engagement: Scenario[Engagement], month: str) -> Money:
    """Return the revenue to the end of a month of 2026, from March on."""
    months = year_end(engagement)
    for number in range(3, int(month) + 1):
        months = months.after(recognise(f"{number:02}"))
    return recognised(months, month)


def test_a_cumulative_catch_up() -> None:
    """Check IFRS 15 IE37-IE41, Example 8 (ASC 606-10-55-129), with the bonus in the new price.

    1,000,000 for 700,000 of cost, 420,000 spent: 600,000 earned. 150,000 and a bonus of 200,000
    more for 120,000 of cost: 420 / 820 of 1,350,000, which the source rounds to 691,200.
    """
    before = hearing(costing(1_000_000, 14_000), spent(420_000, APRIL_20))
    assert earned(before, "04") == eur(600_000)
    assert earned(changed(before, "catch-up", 350_000, 2_400), "04") == eur("691463.41")


def test_a_prospective_change() -> None:
    """Check IFRS 15 IE19-IE24, Example 5, case B: 120 products for 100 each, 60 delivered.

    30 more for 80 each: from then on, each of the 90 earns (60 x 100 + 30 x 80) / 90 = 93.33. A
    product costs 50 here.
    """
    delivered = hearing(costing(12_000, 120), spent(3_000, APRIL_20))
    more = changed(delivered, "prospective", 2_400, 30)
    assert earned(more, "04") == eur(6_000)
    assert earned(hearing(more, spent(50, MAY_20)), "05") == eur("6093.33")
    assert earned(hearing(more, spent(4_500, MAY_20)), "05") == eur(14_400)


def test_a_change_that_is_a_contract_of_its_own() -> None:
    """Check IFRS 15 IE19-IE24, Example 5, case A: 30 more products for 95 each are sold alone."""
    delivered = hearing(costing(12_000, 120), spent(3_000, APRIL_20))
    more = changed(delivered, "separate", 2_850, 30, new=NEW)
    one = expense("y", eur(50), MAY_20, billable=False, line="more")
    months = year_end(hearing(more, one)).after(recognise("03")).after(recognise("04"))
    may = months.when(recognise("05"))
    budget = may.after.state.budget
    assert budget is not None
    [_, own] = budget.obligations
    may.then(
        entry("05", 0, 6_000, "cost-to-cost"), entry("05", 95, 95, "cost-to-cost", own.obligation)
    )
    assert [each.amendment for each in may.after.view["contract_balances"]["2026-05"]] == [
        None,
        "A-CR-1",
    ]


def test_the_old_contract_ends_with_a_prospective_change() -> None:
    """Check BDO Australia, construction contract modifications (6 June 2018).

    500,000 for 300,000 of cost, half done, and a pool for 50,000 that costs 40,000: what is left is
    a contract of 300,000 for 190,000 of cost.
    """
    half = hearing(costing(500_000, 6_000), spent(150_000, APRIL_20))
    pool = changed(half, "prospective", 50_000, 800)
    assert earned(pool, "04") == eur(250_000)
    assert earned(hearing(pool, spent(95_000, MAY_20)), "05") == eur(400_000)


def test_a_prospective_cut_takes_nothing_back() -> None:
    half = hearing(costing(12_000, 120), spent(3_000, APRIL_20))
    less = changed(half, "prospective", -2_000, -20)
    assert earned(less, "04") == eur(6_000)
    # 1,000 of 2,000 EUR to come, for the 4,000 EUR that are left
    assert earned(hearing(less, spent(1_000, MAY_20)), "05") == eur(8_000)


def test_a_prospective_change_at_acceptance_shares_the_rest_by_what_is_to_come() -> None:
    papers = opened().when_consumed(ESTIMATE, PROPOSED, sow_of(fixed_line())).then_accepted()
    signed = hearing(papers.after(method("at-acceptance")).on(SIGNED), SOW_SIGNED)
    half = hearing(signed, accepted("design", APRIL_20))
    change = line_change(2_000, added=(REPORT,))
    known = half.when_consumed(assessed(scope(developer=20, added=(REPORT,))), drafted(change))
    chosen = known.then_accepted().on(APRIL_20).after(choose("prospective"))
    more = hearing(chosen, amendment(change))
    assert earned(more, "04") == eur(10_000)
    # 12,000 are left for the portal and the report.
    assert earned(hearing(more, accepted("report", MAY_20)), "05") == eur(16_000)
    done = hearing(more, *(accepted(each, MAY_20) for each in ("report", "portal")))
    assert earned(done, "05") == eur(22_000)


def known_draft(*changes: LineChange) -> Scenario[Engagement]:
    return contracted().consumed(drafted(*changes))


def test_a_treatment_is_chosen_while_the_amendment_is_not_in_the_budget() -> None:
    engagement = known_draft(line_change(2_000))
    chosen = engagement.when(choose("prospective"), by="fred").then(
        TreatmentChosen(amendment="A-CR-1", treatment="prospective", why="Distinct.")
    )
    chosen.when(choose("prospective")).then_nothing()
    chosen.when(choose("catch-up", why="Not distinct.")).then(
        like(TreatmentChosen, treatment="catch-up")
    )
    applied = hearing(chosen, amendment(line_change(2_000)))
    applied.when(choose("catch-up")).then_refused("treatment-fixed", saying="prospective")
    contracted().when(choose("prospective")).then_refused("amendment-unknown")
    opened().when(choose("prospective")).then_refused("budget-not-set")
    engagement.consumed(TERMINATED).when(choose("prospective")).then_refused("engagement-over")


@pytest.mark.parametrize("treatment", ["separate", "catch-up"])
def test_a_treatment_has_to_fit_the_lines_that_change(treatment: Treatment) -> None:
    hourly = contracted(HOURLY_SOW).consumed(drafted(line_change(2_000)))
    hourly.when(choose(treatment)).then_refused("treatment-does-not-fit")


def test_a_choice_that_does_not_fit_what_was_signed_is_not_applied() -> None:
    new = line_change(2_000, line="more", new=NEW)
    chosen = known_draft(new).after(choose("separate"))
    outcome = chosen.when_consumed(amendment(line_change(2_000)))
    [amended] = [each for each in outcome.events if isinstance(each, BudgetAmended)]
    assert amended.treatment == "catch-up"
