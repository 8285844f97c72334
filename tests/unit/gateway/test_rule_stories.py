"""Each rule has stories: what it finds, what it nearly finds, how that ends, and a waiver."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import pytest

from contracts import delivery, finance, legal, sales
from contracts.event import Event
from contracts.lines import LineScopeChange, RoleHoursDelta
from contracts.money import Money
from contracts.values import Milestone
from gateway.decider import ENGAGEMENT as DECIDER
from gateway.decider import PublishDisconnects, WaiveAnyDisconnect, detected
from gateway.rules import RULES, Disconnect, judge
from gateway.view.engagement_view import View
from testkit.scenario import given
from tests.amounts import eur
from tests.builders import ENGAGEMENT, Life, line_change
from tests.invoices import untaxed_credit
from tests.unit.gateway.test_amounts import rated
from tests.unit.gateway.test_contract_lines import (
    CUT,
    agreed,
    altered,
    billed,
    hourly,
    review,
    signed,
    time,
)
from tests.unit.gateway.test_disconnects import margin_measured, measured, rebaselined, requested
from tests.unit.gateway.test_engagement_view import view_of
from tests.unit.gateway.test_reversed_work import GONE, INVOICE, credited_works, reversed_works
from tests.unit.gateway.test_reversed_work import billed as billed_time
from tests.unit.gateway.test_staffing import allocated, overloaded, staffed
from tests.unit.gateway.test_taken_over import changed, events, taken_over_by_legal
from tests.unit.gateway.test_uncovered_work import _expense as expense
from tests.unit.test_interleaving import shown as taken_over
from tests.unit.test_uncovered_hours import (
    CASES,
    EARLY,
    WEEK,
    _after,
    _ended,
    _released,
    _signed_change,
)
from tests.weeks import approved, rejected, reversal, submitted

Sides = tuple[tuple[str, str], tuple[str, str]]


@dataclass(frozen=True)
class Story:
    """A rule's views: in which it finds something, nearly does, and does no more; and a day.

    The views are of Life, judged `days` after its beginning, or of the take-over.
    """

    rule: str
    found: Callable[[], Life | View]
    near: Callable[[], Life | View]
    ended: Callable[[], Life | View]
    days: int
    sides: Sides
    stake: Money | None
    about: str = ""

    @property
    def name(self) -> str:
        """The rule, and what the story is about where the rule has several."""
        return f"{self.rule}.{self.about}" if self.about else self.rule


def judged(told: Life | View, days: int) -> dict[str, Disconnect]:
    view = told if isinstance(told, View) else view_of(told.events)
    begins = told.begins if isinstance(told, Life) else date(2025, 3, 20)
    return judge(view, begins + timedelta(days=days))


def of_rule(story: Story, told: Life | View) -> list[Disconnect]:
    return [each for each in judged(told, story.days).values() if each.rule == story.rule]


# ---- engagements -------------------------------------------------------------------------------


def late(finish: int) -> Life:
    life = altered(Life().worked(8), legal.SowDrafted, cost_of_delay_per_day=eur(100))
    return life.say(95, life.report(9, 95, finish=finish))


def planned(hours: int = 800, management: int = 160) -> Life:
    life = rated(Life().kicked_off())
    return rebaselined(life, hours=hours, management=management)


def replanned(life: Life) -> Life:
    return life.say(41, life.plan(3))


def one_deliverable() -> Life:
    life = Life().kicked_off()
    return rebaselined(life, deliverables=life.plan(1).deliverables[:1])


def proposed_anew() -> Life:
    life = Life().proposed().without(delivery.ManagerAssigned)
    life.say(11, delivery.ManagerAssigned(manager="max", assigned_on=life.day(11)))
    (draft,) = (e.event for e in life.events if isinstance(e.event, sales.ProposalDrafted))
    return life.say(12, draft.model_copy(update={"version": 2}))


def allocated_again() -> Life:
    life = rated(staffed(engineer=480))
    return life.say(38, allocated(life, "engineer", 800))


def overloaded_by(*hours: int | None) -> Life:
    life = rated(staffed())
    for revision, each in enumerate(hours, 1):
        life.say(36, overloaded(each, revision))
    return life


def kickoff(*after: Event) -> Life:
    """Return an engagement whose work began although the deal is not won."""
    life = Life().proposed()
    held = delivery.KickoffHeld(held_on=life.day(12), attendees=("max",))
    return life.say(12, held).say(14, *after)


def of_healthy(kind: type[Event]) -> Event:
    return next(e.event for e in Life().signed().events if isinstance(e.event, kind))


def at_risk(starts: int) -> legal.EarlyStartAuthorised:
    return legal.EarlyStartAuthorised(
        reason="Urgent.",
        starts_on=Life().day(starts),
        expires_on=Life().day(40),
        cap_hours=Decimal(40),
    )


def weeks(beyond: str | None) -> Life:
    life = Life().kicked_off()
    hours = submitted("T-1", life.week(2), 30)
    more = Decimal(beyond) if beyond else None
    return life.say(60, hours.model_copy(update={"beyond_weekly_hours": more}))


def spent(**fields: object) -> Life:
    return Life().kicked_off().say(50, expense(1, **fields))


def taken_back() -> Life:
    fields = {name: getattr(expense(1), name) for name in delivery.Expense.model_fields}
    life = spent()
    why = {"why": "In the price.", "reversed_on": life.day(52)}
    return life.say(52, delivery.ExpenseReversed.model_validate({**fields, **why}))


def redrafted() -> Life:
    life = Life().signed()
    return life.say(26, life.sow(version=2))


def sow(**update: object) -> Life:
    """Return an engagement whose drafted statement of work has other terms than the deal."""
    return altered(Life().signed().without(legal.SowSigned), legal.SowDrafted, **update)


def corrected(life: Life) -> Life:
    return life.say(26, life.sow(version=2))


def cheaper() -> Life:
    lines = (Life().lines()[0].model_copy(update={"price": eur(70_000)}), Life().lines()[1])
    return sow(price=eur(90_000), lines=lines)


def charged(rate: int) -> Life:
    life = hourly()
    return life.say(50, billed(life, 50, time("support", rate, 10, life.day(45))))


def voided(life: Life, invoice: str, days: int) -> Life:
    event = next(e.event for e in life.events if isinstance(e.event, finance.InvoiceIssued))
    fields = {
        **{
            name: getattr(event, name)
            for name in finance.InvoiceVoided.model_fields
            if hasattr(event, name)
        },
        "ends_event": True,
        "invoice": invoice,
        "why": "Wrong.",
        "voided_on": life.day(days),
    }
    return life.say(days, finance.InvoiceVoided.model_validate(fields))


def early() -> Life:
    life = Life().worked(8)
    return life.say(95, *life.invoice(life.schedule()[1], 1, 95))


def gone(*, credited: bool = False) -> Life:
    life = billed_time()
    noted = finance.BilledWorkReversed(invoice=INVOICE, works=reversed_works(), amount=eur(1_600))
    life.say(70, reversal(GONE, "Wrong task.", life.day(70)), noted)
    if credited:
        credit = finance.CreditNoteIssued(
            credit_note="CN-1",
            number="2026-00001",
            invoice=INVOICE,
            **untaxed_credit(eur(1_600), "2026-00007", line="support", works=credited_works()),
            why="Wrong task.",
            issued_on=life.day(72),
        )
        life.say(72, credit)
    return life


def logged(hours: int) -> Life:
    life = rated(Life().worked(8))
    return life.say(95, approved("T-x", life.week(8), hours))


def less_logged() -> Life:
    life = logged(800)
    work = life.events[-1].event
    assert isinstance(work, delivery.TimeApproved)
    return life.say(97, reversal(work, "Wrong.", life.day(97)))


def budget(price: int) -> Life:
    return altered(Life().signed(), finance.BudgetSet, price=eur(price))


def budget_mended() -> Life:
    life = budget(90_000)
    (event,) = (e.event for e in Life().signed().events if isinstance(e.event, finance.BudgetSet))
    return life.say(26, event)


def margin(*percents: str) -> Life:
    life = Life().worked(8)
    for number, each in enumerate(percents):
        life.say(95 + number, margin_measured(life, each))
    return life


def accepted() -> Life:
    return Life().accepted()


def invoiced() -> Life:
    life = Life().accepted()
    return life.say(151, *life.invoice(life.schedule()[1], 1, 151))


def built(*, approves: bool = False) -> Life:
    life = requested(Life().worked(8))
    change = line_change("build", 8_000, engineer=80)
    life.say(80, finance.ChangePriced(change="C-1", changes=(change,), price=eur(8_000)))
    life.say(90, delivery.ChangeImplemented(change="C-1", implemented_on=life.day(90)))
    if approves:
        approved_on = life.day(95)
        life.say(
            95,
            delivery.ChangeApproved(change="C-1", approved_by="cora", approved_on=approved_on),
        )
    return life


def unbuilt() -> Life:
    return requested(Life().worked(8))


def followed(*, days: int, rejects: bool = False) -> Life:
    life = requested(Life().worked(8))
    change = line_change("build", 8_000, engineer=80)
    life.say(
        days,
        finance.ChangePriced(change="C-1", changes=(change,), price=eur(8_000)),
        delivery.ChangeApproved(change="C-1", approved_by="cora", approved_on=life.day(days)),
    )
    if rejects:
        life.say(99, delivery.ChangeRejected(change="C-1", why="No.", rejected_on=life.day(99)))
    return life


def amended(price: int, *reviews: Event) -> Life:
    before = agreed(Life().signed(), 26, CUT)
    before.events.pop()
    life = Life()
    for recorded in before.events:
        life.say((recorded.occurred_at.date() - life.begins).days, recorded.event)
    terms = CUT.model_copy(update={"price_delta": eur(price)})
    return life.say(26, signed(Life(), 26, terms), *reviews)


def milestone(due: int, *after: Event) -> Life:
    """Return an engagement with a milestone on a day, and a cost of delay of 100 EUR a day."""
    life = altered(Life().worked(8), legal.SowDrafted, cost_of_delay_per_day=eur(100))
    first = Milestone(milestone="first", title="First release", due_on=life.day(due))
    plan = life.plan(2)
    return life.say(90, plan.model_copy(update={"milestones": (first, *plan.milestones)}), *after)


REACHED = delivery.MilestoneReached(milestone="first", reached_on=Life().day(98))


def cost(colour: str, *reports: str) -> Life:
    life = Life().worked(8)
    life.say(94, life.report(9, 94, cost=colour))
    life.say(95, measured(life, "0.78", "0.95"))
    for each in reports:
        life.say(96, life.report(10, 96, cost=each))
        life.say(97, measured(life, "0.78", "0.95"))
    return life


def scope(hours: int, *, rejects: bool = False) -> Life:
    life = requested(rated(Life().worked(8)))
    changes = (
        LineScopeChange(
            line="build", hours=(RoleHoursDelta(role="engineer", hours=Decimal(hours)),)
        ),
    )
    life.say(92, delivery.ChangeAssessed(change="C-1", changes=changes, days=5, risk="None."))
    life.say(95, life.report(9, 95))
    if rejects:
        life.say(96, delivery.ChangeRejected(change="C-1", why="No.", rejected_on=life.day(96)))
    return life


def forecast(*costs: int) -> Life:
    """Return an engagement whose manager forecasts these costs; by the trend it is 89,687.50."""
    life = Life().worked(8)
    for number, each in enumerate(costs):
        life.say(94 + 2 * number, life.report(9 + number, 94 + 2 * number, cost="red"))
        figures = measured(life, "0.78", "0.95")
        told = {"estimate_to_complete": eur(0), "estimate_at_completion": eur(each)}
        life.say(95 + 2 * number, figures.model_copy(update=told))
    return life


def reported(*days: int) -> Life:
    life = Life().worked(8)
    for number, each in enumerate(days, 9):
        life.say(each, life.report(number, each))
    return life


def closing(*, issue: bool, solved: bool = False) -> Life:
    life = Life().accepted()
    if issue:
        life.say(
            150,
            delivery.IssueRaised(
                item="X-1", title="Slow", severity="high", owner="max", due_on=life.day(151)
            ),
        )
    life.say(
        150,
        delivery.PirHeld(
            held_on=life.day(150),
            went_well=(),
            went_badly=(),
            sold_hours=Decimal(960),
            delivered_hours=Decimal(600),
        ),
    )
    if solved:
        life.say(
            151, delivery.RaidItemClosed(item="X-1", closed_on=life.day(151), resolution="Done.")
        )
    return life


def filed() -> Life:
    life = Life().won()
    return life.say(30, life.sow())


def dearer(amount: int) -> View:
    work, care = taken_over_by_legal().lines
    lines = (work.model_copy(update={"price": work.price + eur(amount)}), care)
    return changed(legal.EngagementImported, lines=lines)


def retitled() -> View:
    work, care = taken_over_by_legal().lines
    lines = (work.model_copy(update={"title": "Other"}), care)
    return changed(legal.EngagementImported, lines=lines)


HOURS_BEFORE = submitted("T-1", date(2025, 1, 6), 16, person="erin", task="M-1")
HOURS_AFTER = submitted("T-1", date(2025, 3, 17), 16, person="erin", task="M-1")


def more(*work: Event) -> View:
    return taken_over(tuple(_after(events(), *work)))


def progress() -> delivery.EngagementImported:
    return next(e.event for e in events() if isinstance(e.event, delivery.EngagementImported))


def without_last() -> View:
    return changed(delivery.EngagementImported, deliverables=progress().deliverables[:-1])


def as_taken_over() -> View:
    return taken_over(events())


def of_case(name: str, *, ends: bool = False) -> Callable[[], Life]:
    """Return an engagement of a case of uncovered work, with the work, until it is rejected."""

    def life() -> Life:
        (case,) = (e for e in CASES if (e.name, type(e.work)) == (name, delivery.TimeSubmitted))
        told = case.life().say(61, case.work)
        return told.say(62, _ended(case.work)) if ends else told

    return life


def work(
    case: str, rule: str, near: Callable[[], Life], sides: Sides, stake: Money | None
) -> Story:
    return Story(rule, of_case(case), near, of_case(case, ends=True), 100, sides, stake)


def submits(life: Life, monday: date, task: str = "build") -> Life:
    """Add 16 hours that wait for approval."""
    return life.say(61, submitted("T-1", monday, 16, task=task))


def early_start() -> Life:
    life = Life().won()
    start = {"reason": "Urgent.", "starts_on": life.day(5), "expires_on": life.day(40)}
    life.say(5, legal.EarlyStartAuthorised.model_validate({**start, "cap_hours": 40}))
    return submits(life, EARLY, "initiation")


def terminated() -> Life:
    """Return an engagement that is terminated after the week of work."""
    event = legal.EngagementTerminated(reason="mutual", terminated_on=WEEK + timedelta(days=6))
    return Life().kicked_off().say(60, event)


def held() -> Life:
    """Return an engagement that is put on hold after the week of work."""
    event = delivery.EngagementPutOnHold(reason="No data.", held_on=WEEK + timedelta(days=7))
    return Life().kicked_off().say(60, event)


STORIES = (
    Story(
        "promised-finish-before-forecast",
        lambda: late(180),
        lambda: late(150),
        lambda: late(180).say(98, Life().report(10, 98)),
        100,
        (("legal", "finish on 4 June 2026"), ("delivery", "finish forecast for 4 July 2026")),
        eur(3_000),
    ),
    Story(
        "deliverables-differ",
        one_deliverable,
        planned,
        lambda: replanned(one_deliverable()),
        45,
        (("legal", "sold: Management reports"), ("delivery", "not planned: Management reports")),
        None,
    ),
    Story(
        "sold-hours-differ",
        lambda: planned(hours=992),
        lambda: planned(hours=880),
        lambda: replanned(planned(hours=992)),
        45,
        (("legal", "sold: 800 h of engineer"), ("delivery", "planned: 992 h of engineer")),
        eur("19200.96"),
    ),
    Story(
        "project-management-differs",
        lambda: planned(management=80),
        lambda: planned(management=140),
        lambda: replanned(planned(management=80)),
        45,
        (
            ("legal", "160 h of project management sold"),
            ("delivery", "80 h of project management planned"),
        ),
        eur(10_000),
    ),
    Story(
        "no-manager-before-proposal",
        lambda: Life().proposed().without(delivery.ManagerAssigned),
        Life().proposed,
        proposed_anew,
        13,
        (("sales", "proposal drafted for 100,000.00 EUR"), ("delivery", "no manager assigned")),
        None,
    ),
    Story(
        "allocated-hours-differ",
        lambda: rated(staffed(engineer=480)),
        lambda: rated(staffed(engineer=790)),
        allocated_again,
        45,
        (("delivery", "710 h of engineer planned"), ("delivery", "426 h of engineer allocated")),
        eur("28401.42"),
    ),
    Story(
        "allocated-beyond-hours",
        lambda: overloaded_by(500),
        lambda: overloaded_by(440),
        lambda: overloaded_by(500, None),
        40,
        (
            ("delivery", "500 h of eve allocated over 2 engagements"),
            ("delivery", "400 h available"),
        ),
        eur("10000.50"),
    ),
    work(
        "not signed",
        "work-before-signature",
        early_start,
        (("delivery", "16 h worked"), ("legal", "not signed")),
        eur(1_600),
    ),
    Story(
        "work-before-signature",
        kickoff,
        lambda: kickoff(at_risk(12)),
        lambda: kickoff(of_healthy(sales.DealWon), of_healthy(legal.SowSigned)),
        20,
        (("delivery", "kickoff held on 17 January 2026"), ("sales", "deal not won")),
        None,
        "kickoff",
    ),
    work(
        "after the end",
        "work-after-end",
        lambda: submits(terminated(), WEEK),
        (("delivery", "16 h submitted"), ("legal", "terminated on 1 March 2026")),
        None,
    ),
    work(
        "on hold",
        "work-on-hold",
        lambda: submits(held(), WEEK),
        (("delivery", "16 h submitted"), ("delivery", "the work is on hold, since 1 March 2026")),
        None,
    ),
    work(
        "task unknown",
        "work-outside-plan",
        lambda: submits(Life().kicked_off(), WEEK),
        (("delivery", "16 h on extra"), ("delivery", "no task extra in the plan")),
        None,
    ),
    work(
        "requirements not signed off",
        "work-before-release",
        lambda: submits(Life().kicked_off(), WEEK),
        (("delivery", "16 h of implementation submitted"), ("delivery", "not released")),
        None,
    ),
    work(
        "amendment-not-signed",
        "work-on-unsigned-change",
        lambda: submits(_signed_change(Life().kicked_off()), WEEK, "C-1"),
        (("delivery", "16 h submitted"), ("legal", "no amendment to C-1 published")),
        None,
    ),
    work(
        "plan-not-rebaselined after the signature",
        "work-on-unreleased-change",
        lambda: submits(_released(_signed_change(Life().kicked_off())), WEEK, "C-1"),
        (
            ("delivery", "16 h submitted"),
            ("delivery", "change C-1 is not assessed"),
        ),
        None,
    ),
    work(
        "line unknown",
        "work-without-line",
        lambda: submits(Life().kicked_off(), WEEK),
        (("legal", "no line nowhere in the contract"), ("delivery", "16 h on line nowhere")),
        None,
    ),
    work(
        "role without a rate",
        "work-without-rate",
        lambda: submits(hourly(), WEEK, "project-management"),
        (
            ("legal", "no rate for designer in the contract"),
            ("delivery", "16 h of designer worked"),
        ),
        None,
    ),
    Story(
        "hours-beyond-week",
        lambda: weeks("2.5"),
        lambda: weeks(None),
        lambda: weeks("2.5").say(61, rejected(submitted("T-1", Life().week(2), 30), "Too much.")),
        62,
        (("delivery", "30 h submitted here"), ("delivery", "2.5 h beyond the weekly hours")),
        None,
    ),
    Story(
        "expense-not-billed",
        spent,
        lambda: spent(billable=False),
        taken_back,
        53,
        (
            ("delivery", "expenses of 120.00 EUR approved as billable"),
            ("finance", "the price of the contract contains no expenses and bills none"),
        ),
        eur(120),
    ),
    Story(
        "signed-version-not-latest",
        redrafted,
        lambda: Life().signed(),
        lambda: redrafted().say(
            27,
            next(
                e.event for e in Life().signed().events if isinstance(e.event, legal.SowSigned)
            ).model_copy(update={"version": 2}),
        ),
        28,
        (
            ("legal", "version 1 signed at 100,000.00 EUR"),
            ("legal", "version 2 drafted at 100,000.00 EUR"),
        ),
        None,
    ),
    Story(
        "sow-price-differs",
        cheaper,
        sow,
        lambda: corrected(cheaper()),
        27,
        (("sales", "won at 100,000.00 EUR"), ("legal", "drafted at 90,000.00 EUR")),
        eur(10_000),
    ),
    Story(
        "sow-dates-differ",
        lambda: sow(finishes_on=Life().day(160)),
        sow,
        lambda: corrected(sow(finishes_on=Life().day(160))),
        27,
        (
            ("sales", "won from 4 February 2026 to 4 June 2026"),
            ("legal", "drafted from 4 February 2026 to 14 June 2026"),
        ),
        None,
    ),
    Story(
        "sow-scope-differs",
        lambda: sow(deliverables=Life().sow().deliverables[:1]),
        sow,
        lambda: corrected(sow(deliverables=Life().sow().deliverables[:1])),
        27,
        (("sales", "sold: Management reports"), ("legal", "not drafted: Management reports")),
        None,
    ),
    Story(
        "bill-rate-differs",
        lambda: charged(110),
        lambda: charged(100),
        lambda: voided(charged(110), "I-50", 52),
        53,
        (
            ("legal", "engineer agreed at 100.00 EUR an hour for 19 February 2026"),
            ("finance", "billed at 110.00 EUR an hour"),
        ),
        eur(100),
    ),
    Story(
        "billed-before-acceptance",
        early,
        lambda: Life().worked(8),
        lambda: voided(early(), "I-final", 97),
        100,
        (
            ("finance", "50,000.00 EUR billed on acceptance"),
            ("delivery", "not accepted: portal, reports"),
        ),
        eur(50_000),
    ),
    Story(
        "reversed-work-billed",
        gone,
        billed_time,
        lambda: gone(credited=True),
        73,
        (
            ("delivery", "approval of work reversed"),
            ("finance", "1,600.00 EUR of it billed, not credited"),
        ),
        eur(1_600),
    ),
    Story(
        "beyond-budget",
        lambda: logged(800),
        lambda: logged(400),
        less_logged,
        100,
        (("finance", "budget of 960 h"), ("delivery", "1120 h logged")),
        None,
    ),
    Story(
        "budget-price-differs",
        lambda: budget(90_000),
        lambda: budget(100_000),
        budget_mended,
        27,
        (("legal", "signed 100,000.00 EUR"), ("finance", "budget of 90,000.00 EUR")),
        eur(10_000),
    ),
    Story(
        "forecast-margin-below-sold",
        lambda: margin("18"),
        lambda: margin("26"),
        lambda: margin("18", "28"),
        100,
        (("sales", "sold at 30%"), ("delivery", "forecast at 18%")),
        eur(12_000),
    ),
    Story(
        "accepted-not-billed",
        accepted,
        invoiced,
        invoiced,
        170,
        (("delivery", "accepted, worth 50,000.00 EUR"), ("finance", "nothing published")),
        eur(50_000),
    ),
    Story(
        "change-not-approved",
        built,
        unbuilt,
        lambda: built(approves=True),
        96,
        (("delivery", "change C-1 is built"), ("finance", "priced at 8,000.00 EUR, not approved")),
        eur(8_000),
    ),
    Story(
        "change-not-followed",
        lambda: followed(days=90),
        lambda: followed(days=95),
        lambda: followed(days=90, rejects=True),
        100,
        (("delivery", "change C-1 approved"), ("legal", "not in the contract")),
        eur(8_000),
    ),
    Story(
        "amendment-differs",
        lambda: amended(-20_000),
        lambda: amended(-24_000),
        lambda: amended(-20_000, *review("approved")),
        27,
        (
            ("finance", "priced at -24,000.00 EUR"),
            ("legal", "signed -20,000.00 EUR, with other changes of the lines"),
        ),
        eur(4_000),
    ),
    Story(
        "milestone-missed",
        lambda: milestone(97),
        lambda: milestone(100),
        lambda: milestone(97, REACHED),
        100,
        (
            ("delivery", "First release planned for 12 April 2026"),
            ("delivery", "First release not reached"),
        ),
        eur(300),
    ),
    Story(
        "status-greener-than-computed",
        lambda: cost("amber"),
        lambda: cost("red"),
        lambda: cost("amber", "red"),
        100,
        (("delivery", "cost reported amber"), ("finance", "computed red: CPI of 0.78")),
        eur(9_000),
    ),
    Story(
        "scope-greener-than-computed",
        lambda: scope(120),
        lambda: scope(90),
        lambda: scope(120, rejects=True),
        100,
        (
            ("delivery", "scope reported green"),
            ("delivery", "computed amber: 1 open change of 120 h"),
        ),
        eur("12000.60"),
    ),
    Story(
        "forecast-better-than-trend",
        lambda: forecast(80_000),
        lambda: forecast(85_000),
        lambda: forecast(80_000, 89_000),
        100,
        (
            ("delivery", "80,000.00 EUR forecast by AC + ETC"),
            ("finance", "89,687.50 EUR by the trend"),
        ),
        eur("9687.50"),
    ),
    Story(
        "no-status-report",
        lambda: reported(95),
        lambda: reported(100),
        lambda: reported(95, 100),
        120,
        (("delivery", "tier standard: a report every 14 days"), ("delivery", "last report")),
        None,
    ),
    Story(
        "closing-with-loose-ends",
        lambda: closing(issue=True),
        lambda: closing(issue=False),
        lambda: closing(issue=True, solved=True),
        152,
        (("delivery", "review held"), ("delivery", "open: issue “Slow”")),
        None,
    ),
    Story(
        "next-step-overdue",
        lambda: Life().won(),
        filed,
        filed,
        40,
        (("sales", "deal won"), ("legal", "nothing published")),
        None,
    ),
    Story(
        "imported-balances-differ",
        lambda: dearer(100),
        retitled,
        as_taken_over,
        0,
        (("legal", "work: 31,300.00 EUR"), ("finance", "work: 31,200.00 EUR")),
        eur(100),
    ),
    Story(
        "work-before-take-over",
        lambda: more(HOURS_BEFORE),
        lambda: more(HOURS_AFTER),
        lambda: more(HOURS_BEFORE, _ended(HOURS_BEFORE)),
        0,
        (("delivery", "16 h submitted"), ("delivery", "totals to 2 March 2025 taken over")),
        None,
    ),
    Story(
        "imported-scope-differs",
        without_last,
        retitled,
        as_taken_over,
        0,
        (("legal", "taken over with reports"), ("delivery", "without reports")),
        None,
    ),
)


def test_every_rule_has_a_story() -> None:
    assert [story.rule for story in STORIES if story.rule not in {rule.id for rule in RULES}] == []
    assert [rule.id for rule in RULES if rule.id not in {story.rule for story in STORIES}] == []


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_rule_finds_both_sides_and_what_is_at_stake(story: Story) -> None:
    found = of_rule(story, story.found())
    first = found[0]

    one, other = first.sides
    assert ((one.department, one.value), (other.department, other.value)) == story.sides
    assert first.at_stake == story.stake
    assert detected(first).sides == first.sides


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_rule_does_not_find_what_it_nearly_finds(story: Story) -> None:
    assert of_rule(story, story.near()) == []


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_what_a_rule_finds_ends_when_the_facts_do(story: Story) -> None:
    assert of_rule(story, story.ended()) == []


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_waiver_of_what_a_rule_finds_runs_out(story: Story) -> None:
    event = detected(of_rule(story, story.found())[0])
    publish = PublishDisconnects(disconnects=(event,))
    today = date(2026, 7, 1)
    waiver = WaiveAnyDisconnect(
        finding=event.finding, why="Agreed.", until=today + timedelta(days=7)
    )
    waived = given(DECIDER, ENGAGEMENT).on(today).after(publish).after(waiver, by="vera")

    waived.on(today + timedelta(days=7)).when(publish).then()
    waived.on(today + timedelta(days=8)).when(publish).then(event)
