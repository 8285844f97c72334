"""Lines, prices and hours of a contract in the view, in rules, in figures and on pages."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from contracts import delivery, finance, legal, sales
from contracts.default_billing import with_default_billing
from contracts.event import Event
from contracts.lines import (
    BillingItem,
    ContractLine,
    LineChange,
    LineRate,
    NewLine,
    PerformanceObligation,
    ProposedLine,
    Retainer,
    changed_lines,
)
from contracts.values import RoleHours
from gateway.pages.department_panels import panels
from gateway.pages.names import Names
from gateway.portfolio.figures import build_portfolio, contribution
from gateway.view.approved_work import approved_work
from gateway.view.engagement_view import View, dump, load, sentence_of
from testkit.scenario import RecordsOf
from tests.amounts import eur, per_hour
from tests.builders import HASH, REPORTS, Life, line_change, scope_of
from tests.invoices import untaxed, untaxed_credit
from tests.unit.gateway.test_disconnects import evidence, findings, only
from tests.unit.gateway.test_engagement_view import view_of
from tests.weeks import approved

NOBODY = Names(RecordsOf([]))
SUPPORT = ContractLine(
    line="support",
    title="Support",
    pricing="time-and-materials",
    price=eur(10_000),
    hours=(RoleHours(role="engineer", hours=Decimal(100)),),
    rates=(
        LineRate(role="engineer", rate=per_hour(100)),
        LineRate(role="engineer", rate=per_hour(120), from_day=date(2026, 6, 1)),
    ),
)
ADDED = LineChange(
    **dict(line_change("support", 10_000, engineer=100)) | {"rates": SUPPORT.rates},
).model_copy(update={"new": NewLine(title="Support", pricing="time-and-materials")})
CUT = line_change("build", -24_000, engineer=-240).model_copy(
    update={"deliverables_removed": ("reports",)}
)


def altered(life: Life, kind: type[Event], **changed: object) -> Life:
    """Return the engagement with changed fields in all events of a type."""
    other = Life(life.engagement, life.begins)
    for recorded in life.events:
        event = recorded.event
        if isinstance(event, kind):
            event = event.model_copy(update=changed)
        other.say((recorded.occurred_at.date() - life.begins).days, event)
    return other


def agreed(life: Life, days: int, change: LineChange, *, name: str = "C-1") -> Life:
    """Add a change that is assessed, priced, approved and signed as an amendment."""
    return life.say(
        days,
        delivery.ChangeRequested(
            change=name, requested_by="cora", description="Other.", requested_on=life.day(days)
        ),
        delivery.ChangeAssessed(change=name, changes=(scope_of(change),), days=0, risk="None."),
        finance.ChangePriced(change=name, changes=(change,), price=change.price_delta),
        delivery.ChangeApproved(change=name, approved_by="cora", approved_on=life.day(days)),
        signed(life, days, change, name=name),
    )


def signed(
    life: Life, days: int, change: LineChange, *, name: str = "C-1"
) -> legal.AmendmentSigned:
    """Return the signature of a change, with its default billing unless it has some."""
    lines = view_of(life.events).legal.contract_lines
    line = next((each for each in lines if each.line == change.line), None)
    item, finish = f"A-{name}-{change.line}", life.day(150)
    return legal.AmendmentSigned(
        amendment=f"A-{name}",
        change=name,
        content_hash=HASH,
        changes=(with_default_billing(line, change, finish, item, f"Amendment A-{name}"),),
        price_delta=change.price_delta,
        finishes_on=life.day(150),
        signatories=(),
        signed_on=life.day(days),
    )


def budgeted(life: Life, days: int, change: LineChange, *, name: str = "C-1") -> Life:
    """Add the budget that includes a signed change."""
    before = view_of(life.events).finance.budget
    assert before is not None
    lines = changed_lines(before.lines, [change])
    return life.say(
        days,
        finance.BudgetAmended(
            change=name,
            amendment=f"A-{name}",
            price=before.price + change.price_delta,
            lines=lines,
            obligations=tuple(before.obligations),
            signed_on=date(2026, 4, 27),
            unnamed_work_from=date(2026, 4, 27),
            treatment="catch-up",
            why="The same portal.",
        ),
    )


def planned(life: Life, days: int, version: int, hours: int, *changes: str) -> Life:
    """Add a baseline with these hours of an engineer and these changes."""
    plan = life.plan(version, *changes)
    build, manage = plan.tasks
    build = build.model_copy(
        update={"hours": (RoleHours(role="engineer", hours=Decimal(hours)),), "line": None}
    )
    deliverables = tuple(
        each
        for each in plan.deliverables
        if each.deliverable in view_of(life.events).legal.contract_deliverables
    )
    update = {"tasks": (build, manage), "deliverables": deliverables, "milestones": ()}
    return life.say(days, plan.model_copy(update=update))


# ---- prices ----------------------------------------------------------------------------------


def test_lines_and_prices_add_up_at_every_step() -> None:
    view = view_of(Life().kicked_off().events)
    proposal, won, sow = view.won_proposal, view.sales.won, view.legal.signed_sow
    assert proposal is not None
    assert won is not None
    assert sow is not None
    assert view.finance.budget is not None
    for lines in (
        proposal.lines,
        won.event.lines,
        sow.event.lines,
        view.legal.contract_lines,
        view.finance.budget.lines,
    ):
        assert [(line.line, line.price) for line in lines] == [
            ("build", eur(80_000)),
            ("manage", eur(20_000)),
        ]
        assert {item.kind for line in lines for item in line.billing} <= {"on-acceptance"}
    assert view.price == view.finance.budget.price == eur(100_000)


def test_an_amendment_adds_a_line_and_another_takes_scope_away() -> None:
    life = budgeted(agreed(Life().kicked_off(), 35, ADDED), 36, ADDED)
    life = budgeted(agreed(life, 40, CUT, name="C-2"), 41, CUT, name="C-2")
    view = view_of(life.events)

    assert [(line.line, line.price) for line in view.legal.contract_lines] == [
        ("build", eur(56_000)),
        ("manage", eur(20_000)),
        ("support", eur(10_000)),
    ]
    assert view.finance.budget is not None
    assert view.price == view.legal.contract_price == view.finance.budget.price == eur(86_000)
    assert view.finance.budget.hours == 800 - 240 + 100 + 160
    assert view.legal.contract_deliverables.keys() == {"portal"}
    assert findings(planned(life, 42, 2, 660, "C-1", "C-2"), 45) == {}
    assert load(dump(view)) == view


def test_an_optional_line_is_not_in_price_and_hours_of_the_proposal() -> None:
    more = ProposedLine(**dict(SUPPORT), optional=True)
    life = Life().proposed()
    drafted = next(
        each.event for each in life.events if isinstance(each.event, sales.ProposalDrafted)
    )
    view = view_of(altered(life, sales.ProposalDrafted, lines=(*drafted.lines, more)).events)
    proposal = view.sales.latest_proposal
    assert proposal is not None
    assert (proposal.price, proposal.hours) == (eur(100_000), Decimal(960))
    (sold,) = (
        panel
        for panel in panels(view, NOBODY, date(2026, 6, 1), confidential=False)
        if panel.department == "sales"
    )
    (row,) = (row for row in sold.rows if row.label == "Proposal 1")
    assert row.lines[2:] == (
        "Portal: 80,000 EUR, fixed",
        "Project management: 20,000 EUR, fixed",
        "Support: 10,000 EUR, time and materials, optional",
    )


# ---- deal and statement of work --------------------------------------------------------------


def test_lines_of_the_same_price_in_total_that_differ_by_line() -> None:
    build, manage = Life().lines()
    shifted = (
        build.model_copy(update={"price": eur(85_000)}),
        manage.model_copy(update={"price": eur(15_000)}),
    )
    finding = only(altered(Life().signed(), legal.SowDrafted, lines=shifted), 27)
    assert finding.finding == "sow-price-differs"
    assert finding.at_stake == eur(10_000)
    assert finding.sentence == (
        "The deal and the statement of work have different lines. "
        "Portal: 80,000.00 EUR, fixed, and 85,000.00 EUR, fixed; "
        "Project management: 20,000.00 EUR, fixed, and 15,000.00 EUR, fixed."
    )


def test_a_line_that_only_the_statement_of_work_has() -> None:
    build, manage = Life().lines()
    lines = (build, manage.model_copy(update={"line": "lead"}))
    finding = only(altered(Life().signed(), legal.SowDrafted, lines=lines), 27)
    assert "(20,000.00 EUR) is only in the deal" in finding.sentence
    assert "(20,000.00 EUR) is only in the statement of work" in finding.sentence


def test_a_statement_of_work_with_other_dates_than_the_deal() -> None:
    life = altered(Life().signed(), legal.SowDrafted, finishes_on=Life().day(160))
    finding = only(life, 27)
    assert (finding.finding, finding.days) == ("sow-dates-differ", 10)
    assert evidence(finding) == ["deal-won", "sow-drafted"]


def test_a_statement_of_work_with_other_deliverables_than_the_deal() -> None:
    finding = only(altered(Life().signed(), legal.SowDrafted, deliverables=(REPORTS,)), 27)
    assert (finding.finding, finding.severity) == ("sow-scope-differs", "serious")
    assert finding.sentence.endswith("missing in the statement of work: Customer portal.")


def test_a_budget_at_another_price_than_the_contract() -> None:
    finding = only(altered(Life().signed(), finance.BudgetSet, price=eur(99_000)), 27)
    assert finding.finding == "budget-price-differs"
    assert finding.at_stake == eur(1_000)
    # An amendment that the budget does not include yet is no difference.
    assert findings(agreed(Life().signed(), 26, CUT), 27) == {}
    wrong = line_change("build", -23_000, engineer=-240)
    amended = budgeted(agreed(Life().signed(), 26, CUT), 26, wrong)
    assert only(amended, 27).finding == "budget-price-differs"


# ---- hours -----------------------------------------------------------------------------------


def test_hours_are_compared_with_the_changes_that_the_plan_includes() -> None:
    assert findings(planned(agreed(Life().kicked_off(), 35, CUT), 36, 2, 560, "C-1"), 38) == {}
    # The plan leaves out the signed change and has the hours of before.
    assert findings(planned(agreed(Life().kicked_off(), 35, CUT), 36, 2, 800), 38).keys() <= {
        "deliverables-differ"
    }
    same = planned(agreed(Life().kicked_off(), 35, CUT), 36, 2, 800, "C-1")
    finding = findings(same, 38)["sold-hours-differ"]
    assert finding.sentence == (
        "560 h of engineer were sold, the baseline plans 800 h: more work than is paid for."
    )


def test_of_a_signed_change_the_signed_hours_count() -> None:
    life = agreed(Life().kicked_off(), 35, CUT)
    smaller = line_change("build", -8_000, engineer=-80)
    other = Life()
    for recorded in life.events:
        event = recorded.event
        if isinstance(event, legal.AmendmentSigned):
            event = signed(other, 35, smaller)
        other.say((recorded.occurred_at.date() - other.begins).days, event)
    other.say(35, *review("approved"))
    planned(other, 36, 2, 720, "C-1")
    assert findings(other, 38) == {}


def test_hours_are_compared_by_role() -> None:
    life = Life().kicked_off()
    plan = life.plan(2)
    build, manage = plan.tasks
    split = build.model_copy(
        update={
            "hours": (
                RoleHours(role="engineer", hours=Decimal(400)),
                RoleHours(role="architect", hours=Decimal(400)),
            )
        }
    )
    finding = only(life.say(40, plan.model_copy(update={"tasks": (split, manage)})), 45)
    assert finding.finding == "sold-hours-differ"
    assert finding.sentence.startswith(
        "800 h of engineer were sold, the baseline plans 400 h; "
        "0 h of architect were sold, the baseline plans 400 h"
    )


def test_management_within_another_line_is_compared_with_that_line() -> None:
    build, _ = Life().lines()
    whole = build.model_copy(
        update={
            "price": eur(100_000),
            "hours": (*build.hours, RoleHours(role="project-manager", hours=Decimal(160))),
        }
    )
    life = Life().kicked_off()
    for kind in (sales.DealWon, legal.SowDrafted, finance.BudgetSet):
        life = altered(life, kind, lines=(whole,))
    plan = life.plan(2)
    tasks = tuple(task.model_copy(update={"line": "build"}) for task in plan.tasks)
    assert findings(life.say(40, plan.model_copy(update={"tasks": tasks})), 45) == {}


def test_hours_beyond_those_of_a_line() -> None:
    life = Life().worked(8)
    time = approved(
        "T-x",
        life.week(8),
        200,
        person="max",
        role="project-manager",
        task="manage",
        kind="project-management",
        line="manage",
    )
    finding = only(life.say(95, time))
    assert finding.finding == "beyond-budget.hours.manage"
    assert finding.sentence == "200 h are logged on Project management, which has 160 h."
    assert (finding.exposure, finding.at_stake) == (eur(20_000), None)


# ---- invoices --------------------------------------------------------------------------------


def hourly(*, estimated: bool = False) -> Life:
    """Return an engagement with a third line by time and materials."""
    life = Life().kicked_off()
    support = SUPPORT.model_copy(update={"estimated": estimated})
    for kind in (sales.DealWon, legal.SowDrafted, finance.BudgetSet):
        life = altered(life, kind, lines=(*life.lines(), support), price=eur(110_000))
    return planned(life, 33, 2, 900)


def billed(
    life: Life, days: int, *lines: finance.InvoiceLine, drawn: int = 0
) -> finance.InvoiceIssued:
    return finance.InvoiceIssued(
        invoice=f"I-{days}",
        number=f"2026-{days:05d}",
        billing_event=f"due-{days}",
        kind="time",
        **untaxed(eur(sum(int(line.amount.amount) for line in lines) - drawn)),
        advance_drawn=eur(drawn),
        lines=lines,
        issued_on=life.day(days),
        due_on=life.day(days + 30),
    )


def time(line: str, rate: int, hours: int, *days: date) -> finance.InvoiceLine:
    """Return a line that bills these hours, equally by day where days are given."""
    return finance.InvoiceLine(
        invoice_line="L-1",
        description="Time",
        line=line,
        amount=eur(rate * hours),
        role="engineer",
        hours=Decimal(hours),
        rate=per_hour(rate),
        days=tuple(finance.DayHours(day=on, hours=Decimal(hours) / len(days)) for on in days),
    )


def test_rates_are_those_of_the_line() -> None:
    life = hourly()
    assert findings(life.say(40, billed(life, 40, time("support", 100, 40))), 45) == {}
    finding = only(life.say(41, billed(life, 41, time("support", 105, 10))), 45)
    assert finding.finding == "bill-rate-differs.I-41"
    assert finding.at_stake == eur(50)
    # Of hours without a day, any rate of the contract is right.
    later = hourly()
    assert findings(later.say(40, billed(later, 40, time("support", 120, 10))), 45) == {}
    # Of hours with days, that of the day: 100 until the end of May, 120 from June on.
    may, june = date(2026, 5, 25), date(2026, 6, 1)
    for rate, number, days, at_stake in (
        (100, 10, (may,), None),
        (120, 10, (june,), None),
        (120, 10, (may,), 200),
        (100, 10, (june,), 200),
        (120, 10, (may, june), 100),
    ):
        dated = hourly()
        found = findings(dated.say(40, billed(dated, 40, time("support", rate, number, *days))), 45)
        assert [each.at_stake for each in found.values()] == ([eur(at_stake)] if at_stake else [])
    # A line without rates is not compared.
    fixed = hourly()
    assert findings(fixed.say(40, billed(fixed, 40, time("build", 77, 1))), 45) == {}


def test_unbilled_work_is_worth_what_an_invoice_would_charge() -> None:
    """Check that the amount of each role is rounded, as that of an invoice line is."""
    life, halves = Life().kicked_off(), {"engineer": "100.01", "tester": "140.01"}
    rates = tuple(LineRate(role=role, rate=per_hour(rate)) for role, rate in halves.items())
    support = SUPPORT.model_copy(update={"rates": rates})
    life = altered(life, finance.BudgetSet, lines=(*life.lines(), support))
    for role in halves:
        half = approved(f"T-{role}", life.week(8), "0.5", role=role, task="care", line="support")
        life.say(58, half)
    (work,) = approved_work(view_of(life.events))
    assert work.unbilled == eur("50.01") + eur("70.01")


def test_more_billed_on_a_line_than_its_cap() -> None:
    life = hourly()
    finding = only(life.say(40, billed(life, 40, time("support", 100, 101))), 45)
    assert finding.finding == "beyond-budget.billing.support"
    assert finding.at_stake == eur(100)
    assert finding.owner == "finance"
    estimated = hourly(estimated=True)
    assert findings(estimated.say(40, billed(estimated, 40, time("support", 100, 101))), 45) == {}
    # The time that an advance has paid is not billed again.
    advanced = hourly()
    advance = finance.InvoiceLine(
        invoice_line="L-1", description="Advance", line="support", amount=eur(5_000)
    )
    advanced.say(36, billed(advanced, 36, advance))
    advanced.say(40, billed(advanced, 40, time("support", 100, 90), drawn=5_000))
    assert findings(advanced, 45) == {}


def test_a_discount_is_billed_in_parts_and_credits_lower_what_is_billed() -> None:
    life = hourly()
    discount = ContractLine(
        line="discount", title="Discount", kind="discount", pricing="fixed", price=eur(-5_000)
    )
    lines = (*life.lines(), SUPPORT, discount)
    for kind in (sales.DealWon, legal.SowDrafted, finance.BudgetSet):
        life = altered(life, kind, lines=lines, price=eur(105_000))
    part = finance.InvoiceLine(
        invoice_line="L-2", description="Discount", line="discount", amount=eur(-1_000)
    )
    life.say(40, billed(life, 40, time("support", 100, 40), part))
    assert findings(life, 45) == {}
    life.say(41, billed(life, 41, time("support", 100, 70)))
    assert findings(life, 45).keys() == {"beyond-budget.billing.support"}
    credit = finance.CreditNoteIssued(
        credit_note="C-1",
        number="C2026-00001",
        invoice="I-41",
        **untaxed_credit(eur(1_000), line="support"),
        why="Too many hours.",
        issued_on=life.day(42),
    )
    assert findings(life.say(42, credit), 45) == {}


# ---- amendments ------------------------------------------------------------------------------


def review(verdict: str, content_hash: str = HASH) -> tuple[Event, ...]:
    fields = {"amendment": "A-C-1", "content_hash": content_hash, "verdict": verdict, "why": "So."}
    return (
        delivery.AmendmentReviewed.model_validate(fields),
        finance.AmendmentReviewed.model_validate(fields),
    )


def test_an_amendment_of_other_terms_than_the_change_that_was_not_approved() -> None:
    def life() -> Life:
        changed = agreed(Life().signed(), 26, CUT)
        changed.events.pop()
        other = Life()
        for recorded in changed.events:
            other.say((recorded.occurred_at.date() - other.begins).days, recorded.event)
        return other

    assert findings(life().say(26, signed(Life(), 26, CUT)), 27) == {}
    less = CUT.model_copy(update={"price_delta": eur(-20_000)})
    finding = only(life().say(26, signed(Life(), 26, less)), 27)
    assert finding.finding == "amendment-differs.A-C-1"
    assert (finding.exposure, finding.at_stake) == (eur(60_000), eur(4_000))
    assert "was priced at -24,000.00 EUR." in finding.sentence
    approved = life().say(26, *review("approved"), signed(Life(), 26, less))
    assert findings(approved, 27) == {}
    for wrong in (review("objected"), review("approved", f"sha256:{'c' * 64}")):
        assert (
            only(life().say(26, *wrong, signed(Life(), 26, less)), 27).rule == "amendment-differs"
        )
    # The same terms with another finish.
    later = signed(Life(), 26, CUT)
    later = later.model_copy(update={"finishes_on": later.finishes_on + timedelta(days=10)})
    finding = next(
        each
        for each in findings(life().say(26, later), 27).values()
        if each.rule == "amendment-differs"
    )
    assert "It finishes on" in finding.sentence
    assert finding.at_stake is None
    # The same price for other scope.
    scope = CUT.model_copy(update={"hours": ()})
    finding = only(life().say(26, signed(Life(), 26, scope)), 27)
    assert finding.sentence.endswith("with other changes of the lines.")
    assert (finding.exposure, finding.at_stake) == (eur(56_000), None)


MORE = line_change("build", 8_000, engineer=80)
SUMMER = SUPPORT.model_copy(
    update={
        "pricing": "retainer",
        "rates": (),
        "hours": (),
        "retainer": Retainer(fee=eur(1_000), periods=10, starts_on=date(2026, 5, 1)),
        "billing": (BillingItem(item="support", kind="period", amount=eur(10_000)),),
    }
)
LONGER = line_change("support", 2_000).model_copy(
    update={"retainer": Retainer(fee=eur(1_000), periods=12, starts_on=date(2026, 5, 1))}
)


def unsigned(change: LineChange) -> Life:
    """Return an engagement with a retainer, and a change of it that is not signed yet."""
    life = Life().signed()
    for kind in (sales.DealWon, legal.SowDrafted, finance.BudgetSet):
        life = altered(life, kind, lines=(*life.lines(), SUMMER), price=eur(110_000))
    changed = agreed(life, 26, change)
    changed.events.pop()
    other = Life()
    for recorded in changed.events:
        other.say((recorded.occurred_at.date() - other.begins).days, recorded.event)
    return other


def entry(change: LineChange, **different: object) -> BillingItem:
    """Return the only entry of the default billing of a change, altered."""
    [signed_change] = signed(unsigned(change), 26, change).changes
    [item] = (*signed_change.billing_added, *signed_change.billing_changed)
    return item.model_copy(update=different)


@pytest.mark.parametrize("change", [MORE, LONGER, CUT], ids=["more", "longer", "cut"])
def test_an_amendment_with_the_default_billing_is_as_agreed(change: LineChange) -> None:
    life = unsigned(change)
    assert findings(life.say(26, signed(life, 26, change)), 27) == {}


@pytest.mark.parametrize("change", [MORE, LONGER, CUT], ids=["more", "longer", "cut"])
def test_an_amendment_without_billing_is_billed_by_default_as_agreed(change: LineChange) -> None:
    life = unsigned(change)
    plain = signed(life, 26, change).model_copy(update={"changes": (change,)})
    assert findings(life.say(26, plain), 27) == {}


@pytest.mark.parametrize(
    ("change", "billing"),
    [
        (MORE, {"billing_added": (entry(MORE, due_on=date(2026, 4, 1)),)}),
        (MORE, {"billing_added": (entry(MORE, kind="on-signature", due_on=None),)}),
        (
            MORE,
            {
                "billing_added": tuple(
                    entry(MORE, item=item, amount=eur(4_000)) for item in ("first", "second")
                )
            },
        ),
        (LONGER, {"billing_changed": (entry(LONGER, amount=eur(12_001)),)}),
        (LONGER, {"billing_changed": (entry(LONGER, item="other"),)}),
        (
            LONGER,
            {"billing_removed": ("support",), "billing_added": (entry(LONGER, item="new"),)},
        ),
        (CUT, {"billing_removed": ("advance",)}),
        (CUT, {"billing_changed": (entry(MORE, item="advance", kind="on-signature"),)}),
    ],
)
def test_an_amendment_that_is_billed_otherwise_than_agreed(
    change: LineChange, billing: dict[str, object]
) -> None:
    life = unsigned(change)
    other = signed(life, 26, change.model_copy(update=billing))
    finding = only(life.say(26, other), 27)
    assert finding.finding == "amendment-differs.A-C-1"
    assert finding.sentence.endswith(", and is to be billed otherwise.")
    assert finding.exposure is not None
    assert finding.at_stake is None

    reviewed = unsigned(change).say(26, *review("approved"), other)
    assert findings(reviewed, 27) == {}


def test_ids_and_descriptions_of_added_entries_are_no_terms() -> None:
    life = unsigned(MORE)
    item = entry(MORE, item="last-part", description="The last part")
    other = signed(life, 26, MORE.model_copy(update={"billing_added": (item,)}))
    assert findings(life.say(26, other), 27) == {}


# ---- revenue ---------------------------------------------------------------------------------


def recognised(life: Life, *events: tuple[type[Event], str, int]) -> View:
    for kind, obligation, amount in events:
        life.say(
            95,
            kind.model_validate(
                {
                    "month": "2026-03",
                    "obligation": obligation,
                    "method": "as-invoiced"
                    if kind is finance.RevenueRecognised
                    else "cost-to-cost",
                    "amount": eur(amount),
                    "cumulative": eur(amount),
                }
            ),
        )
    return view_of(life.events)


def test_revenue_by_cost_is_confidential_and_what_includes_it_too() -> None:
    view = recognised(
        Life().worked(8),
        (finance.RevenueRecognised, "support", 4_000),
        (finance.RevenueByCostRecognised, "fixed", 30_000),
    )
    assert view.finance.recognised == eur(4_000)
    assert view.confidential.recognised == eur(30_000)
    assert view.recognised == eur(34_000)
    figures = contribution(view, ())
    known = build_portfolio(figures, date(2026, 4, 1), Decimal(0), with_confidential=True)
    hidden = build_portfolio(figures, date(2026, 4, 1), Decimal(0), with_confidential=False)
    assert known.currencies[0].recognised == 34_000
    assert known.currencies[0].backlog == 66_000
    for name in ("recognised", "backlog", "backlog_clean"):
        assert getattr(hidden.currencies[0], name) is None

    def shown(*, confidential: bool) -> tuple[str, ...]:
        every = panels(view, NOBODY, date(2026, 6, 1), confidential=confidential)
        (rows,) = (panel.rows for panel in every if panel.department == "finance")
        (row,) = (row for row in rows if row.label == "Recognised")
        return row.lines

    assert shown(confidential=True) == ("34,000 EUR",)
    assert shown(confidential=False) == ("4,000 EUR, without what is recognised by cost",)


def test_revenue_without_cost_is_open() -> None:
    at_acceptance = PerformanceObligation(
        obligation="fixed", lines=("build", "manage"), method="at-acceptance"
    )
    life = altered(Life().worked(8), finance.BudgetSet, obligations=(at_acceptance,))
    view = recognised(life, (finance.RevenueRecognised, "fixed", 30_000))
    hidden = build_portfolio(
        contribution(view, ()), date(2026, 4, 1), Decimal(0), with_confidential=False
    )
    assert hidden.currencies[0].recognised == 30_000
    assert hidden.currencies[0].backlog == 70_000


# ---- pages -----------------------------------------------------------------------------------


def test_texts_show_the_lines() -> None:
    life = agreed(Life().signed(), 26, CUT)
    names = Names(RecordsOf([]), {"build": "Portal", "reports": "Management reports"})
    texts = {type(each.event): sentence_of(each.event, names) for each in life.events}
    assert texts[sales.DealWon].endswith(
        "Portal 80,000 EUR (fixed) and Project management 20,000 EUR (fixed)."
    )
    assert texts[legal.AmendmentSigned].endswith(
        "Portal by −24,000 EUR, −240 h, without Management reports."  # noqa: RUF001
    )
    assert texts[finance.BudgetSet].endswith("960 h; revenue of fixed recognised cost to cost.")
    many = tuple(SUPPORT.model_copy(update={"line": f"L-{number}"}) for number in range(8))
    won = next(each.event for each in life.events if isinstance(each.event, sales.DealWon))
    assert sentence_of(won.model_copy(update={"lines": many}), names).endswith("and 3 more.")


@pytest.mark.parametrize("confidential", [True, False])
def test_the_panel_of_finance_shows_what_is_billed_by_line(*, confidential: bool) -> None:
    life = Life().kicked_off()
    life.say(40, *life.invoice(life.schedule()[0], 1, 40))
    every = panels(view_of(life.events), NOBODY, date(2026, 6, 1), confidential=confidential)
    (rows,) = (panel.rows for panel in every if panel.department == "finance")
    shown = {row.label: row.lines for row in rows}
    assert shown["Billed by line"] == (
        "Portal: 30,000 EUR of 80,000 EUR",
        "Project management: 0 EUR of 20,000 EUR",
    )
    assert shown["Revenue"] == ("2 lines recognised cost to cost",)


# ---- redlines and signatures -----------------------------------------------------------------


def legal_rows(life: Life) -> dict[str, tuple[str, ...]]:
    """Return the rows of Legal's panel by label."""
    every = panels(view_of(life.events), NOBODY, life.day(30), confidential=False)
    (rows,) = (panel.rows for panel in every if panel.department == "legal")
    return {row.label: row.lines for row in rows}


def test_redlines_are_counted_until_they_are_resolved() -> None:
    life = Life().won().say(16, Life().sow())
    for name in ("R-1", "R-2"):
        life.say(
            17,
            legal.SowRedlined(version=1, by="customer", clause="1", text="Less.", redline=name),
        )
    life.say(18, legal.RedlineResolved(redline="R-1", outcome="rejected", resolved_on=life.day(18)))
    assert legal_rows(life)["Statement of work"][-1] == "2 redlines, 1 open"


def test_a_version_that_a_party_declined_is_not_out_for_signature_until_it_is_sent_again() -> None:
    life = Life().won().say(16, Life().sow())
    sent = legal.SowSentForSignature(version=1, content_hash=HASH, sent_on=life.day(20))
    declined = legal.SignatureDeclined(
        version=1,
        content_hash=HASH,
        party="customer",
        person="cora",
        why="Later.",
        declined_on=life.day(21),
    )
    life.say(20, sent).say(21, declined)
    view = view_of(life.events)
    assert view.legal.sent is None
    assert legal_rows(life)["Statement of work"][-1] == "version 1 not signed by the customer"
    again = view_of(life.say(22, sent).events).legal
    assert again.sent is not None
    assert again.declined is None


def test_an_early_start_may_be_capped_by_an_amount() -> None:
    life = Life().won()
    start = {"starts_on": life.day(16), "expires_on": life.day(30), "reason": "Date is fixed."}
    life.say(16, legal.EarlyStartAuthorised.model_validate({**start, "cap_hours": 40}))
    life.say(16, legal.EarlyStartAuthorised.model_validate({**start, "cap_amount": eur(4_000)}))
    assert legal_rows(life)["Early start"] == (
        "40 h from 21 Jan 2026 until 4 Feb 2026",
        "4,000 EUR from 21 Jan 2026 until 4 Feb 2026",
    )
    work = approved("T-1", date(2026, 1, 26), 30, task="initiation")
    assert findings(life.say(27, work), 28) == {}


SIGNED_OTHERWISE: dict[str, dict[str, object]] = {
    "sow-price-differs": {
        "price": eur(90_000),
        "lines": (
            Life().lines()[0].model_copy(update={"price": eur(70_000)}),
            Life().lines()[1],
        ),
    },
    "sow-dates-differ": {"finishes_on": Life().day(160)},
    "sow-scope-differs": {"deliverables": Life().sow().deliverables[:1]},
}


@pytest.mark.parametrize("rule", SIGNED_OTHERWISE)
def test_a_contract_signed_otherwise_than_the_deal_ends_with_the_sellers_confirmation(
    rule: str,
) -> None:
    life = altered(Life().signed(), legal.SowDrafted, **SIGNED_OTHERWISE[rule])
    found = findings(life, 27)[rule]
    assert (found.owner, found.command, found.ends_with) == ("sales", "confirm-contract", "ann")
    (content,) = (e.event.content_hash for e in life.events if isinstance(e.event, legal.SowSigned))
    other = "sha256:" + "f" * 64
    reason = "The customer took one phase less."
    life.say(28, sales.ContractConfirmed(content_hash=other, reason=reason))
    assert rule in findings(life, 29)
    life.say(29, sales.ContractConfirmed(content_hash=content, reason=reason))
    assert rule not in findings(life, 30)


def test_a_manager_who_came_after_the_proposal_of_a_won_deal_ends_it_with_the_baseline() -> None:
    life = Life().signed().without(delivery.ManagerAssigned)
    life.say(26, delivery.ManagerAssigned(manager="max", assigned_on=life.day(26)))
    found = findings(life, 27)["no-manager-before-proposal"]
    assert (found.owner, found.command, found.ends_with) == ("delivery", "baseline-plan", "max")
    life.say(28, life.plan(1))
    assert "no-manager-before-proposal" not in findings(life, 29)
