"""Provide scenarios of one engagement, stage by stage, and events for Finance's tests.

A contract of one line, `work`, of 20,000 EUR, fixed or by time and materials. The estimate has 40
hours of an architect (150 EUR), 80 of a developer (100), 30 of a project manager (200). They cost
80, 50 and 100 EUR an hour: 10,200 EUR, with the contingency that is sold, 11,220.
"""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from chassis.domain.ids import derived
from contracts.delivery import (
    ApprovedEntry,
    ChangeAssessed,
    ChangeRequested,
    DeliverableAccepted,
    EstimateSubmitted,
    Expense,
    ExpenseApproved,
    ExpenseReversed,
    PlanBaselined,
    StatusReportPublished,
    TaskProgressed,
    TimeApproved,
    TimeReversed,
)
from contracts.event import Event
from contracts.finance import (
    InvoiceLine,
    InvoiceLineContent,
    RevenueByCostRecognised,
    RevenueRecognised,
)
from contracts.legal import AmendmentSigned, EngagementTerminated, SowDrafted, SowSigned
from contracts.lines import (
    BillingItem,
    ContractLine,
    LineChange,
    LineRate,
    LineScopeChange,
    NewLine,
    ProposedLine,
    RoleHoursDelta,
)
from contracts.money import Money
from contracts.reference import (
    CostRatesPublished,
    ExchangeRatePublished,
    RateCardPublished,
    Reference,
)
from contracts.sales import DealWon, OpportunityOpened, ProposalDrafted
from contracts.values import (
    Deliverable,
    EstimateLine,
    PlannedTask,
    RevenueMethod,
    RoleHours,
    RoleRate,
    Signatory,
)
from finance.allocations.requests import TakeAllocation
from finance.billing.schedule import with_ids
from finance.budgeting.decisions import ChooseRevenueMethod
from finance.engagement import Engagement
from finance.invoices.decisions import ApproveInvoice, InvoiceView, IssueCreditNote
from finance.number_series.events import NumberTaken
from finance.revenue.decisions import RecogniseRevenue
from finance.service import ENGAGEMENT
from testkit.scenario import Scenario, given
from tests.amounts import eur, per_hour
from tests.invoices import UNTAXED

ID = "E-0000000000001"
HASH = f"sha256:{'a' * 64}"
ESTIMATED = date(2026, 3, 2)
SIGNED = date(2026, 3, 20)
APRIL_1 = date(2026, 4, 1)
MONDAY = date(2026, 4, 6)


def rates(**by_role: int | str) -> tuple[RoleRate, ...]:
    return tuple(
        RoleRate(role=role.replace("_", "-"), rate=per_hour(rate)) for role, rate in by_role.items()
    )


def line_rates(**by_role: int | str) -> tuple[LineRate, ...]:
    return tuple(LineRate(role=each.role, rate=each.rate) for each in rates(**by_role))


def role_hours(**by_role: int | str) -> tuple[RoleHours, ...]:
    return tuple(
        RoleHours(role=role.replace("_", "-"), hours=Decimal(hours))
        for role, hours in by_role.items()
    )


def scope(
    line: str = "work",
    *,
    added: tuple[Deliverable, ...] = (),
    removed: tuple[str, ...] = (),
    new: NewLine | None = None,
    **by_role: int | str,
) -> LineScopeChange:
    """Return the change of a line's hours by role, and of its deliverables."""
    return LineScopeChange(
        line=line,
        hours=tuple(
            RoleHoursDelta(role=role.replace("_", "-"), hours=Decimal(hours))
            for role, hours in by_role.items()
        ),
        deliverables_added=added,
        deliverables_removed=removed,
        new=new,
    )


CARD = RateCardPublished(
    rate_card="standard-EUR",
    currency="EUR",
    rates=rates(architect=150, developer=100, tester=90, project_manager=200),
)
COSTS = CostRatesPublished(
    cost_rates="standard-EUR",
    currency="EUR",
    rates=rates(architect=80, developer=50, tester=45, project_manager=100),
)

OPENED = OpportunityOpened(
    account="acme",
    title="Order desk",
    expected_value=eur(20_000),
    expected_close=date(2026, 3, 1),
    owner="ann",
)
ESTIMATE = EstimateSubmitted(
    version=1,
    lines=(
        EstimateLine(phase="Analysis", role="architect", hours=Decimal(40)),
        EstimateLine(phase="Build", role="developer", hours=Decimal(80)),
        EstimateLine(
            phase="Build", role="project-manager", hours=Decimal(30), kind="project-management"
        ),
    ),
    contingency=Decimal(10),
    template="web",
    duration_days=90,
    confidence="medium",
)
DELIVERABLES = (
    Deliverable(deliverable="design", title="Design"),
    Deliverable(deliverable="portal", title="Portal"),
)
SOLD_HOURS = role_hours(architect=44, developer=88, project_manager=33)
"""The hours of the estimate with its contingency."""
PROPOSED = ProposalDrafted(
    version=1,
    company="us",
    estimate_version=1,
    deliverables=DELIVERABLES,
    lines=(
        ProposedLine(
            line="work", title="Order desk", pricing="fixed", price=eur(20_000), hours=SOLD_HOURS
        ),
    ),
    project_management_waiver="inside the price",
    price=eur(20_000),
    promised_start=MONDAY,
    promised_finish=date(2026, 7, 31),
    valid_until=date(2026, 4, 30),
    method="Standard.",
)
SCHEDULE = (
    BillingItem(item="start", kind="on-signature", amount=eur(5_000), description="On signature"),
    BillingItem(item="design", kind="on-acceptance", amount=eur(6_000), deliverables=("design",)),
    BillingItem(item="portal", kind="on-acceptance", amount=eur(7_000), deliverables=("portal",)),
    BillingItem(item="care", kind="on-date", amount=eur(2_000), due_on=date(2026, 8, 1)),
)


def fixed_line(*billing: BillingItem, **more: Any) -> ContractLine:
    """Return a fixed line, `work` of 20,000 EUR unless the terms are given."""
    terms: dict[str, Any] = {
        "line": "work",
        "title": "Order desk",
        "pricing": "fixed",
        "price": eur(20_000),
        "hours": SOLD_HOURS,
        "deliverables": ("design", "portal"),
    }
    return ContractLine(**{**terms, "billing": billing or SCHEDULE, **more})


def hourly_line(*billing: BillingItem, **more: Any) -> ContractLine:
    """Return a line by time and materials, `work` up to 20,000 EUR unless the terms are given."""
    usual = (
        BillingItem(item="advance", kind="on-signature", amount=eur(4_000)),
        BillingItem(item="time", kind="time", amount=eur(16_000)),
    )
    terms: dict[str, Any] = {
        "pricing": "time-and-materials",
        "rates": line_rates(architect=140, developer=100, project_manager=180),
    }
    return fixed_line(*(billing or usual), **{**terms, **more})


def sow_of(*lines: ContractLine, **more: Any) -> SowDrafted:
    """Return a statement of work with these lines."""
    terms: dict[str, Any] = {
        "engagement": ID,
        "company": "us",
        "customer": "acme",
        "template": "sow",
        "template_version": 1,
        "version": 1,
        "content_hash": HASH,
        "proposal_version": 1,
        "scope": "An order desk.",
        "deliverables": DELIVERABLES,
        "lines": lines,
        "price": Money.total((line.price for line in lines), lines[0].price.currency),
        "starts_on": MONDAY,
        "finishes_on": date(2026, 7, 31),
        "effective_on": MONDAY,
        "payment_terms_days": 30,
    }
    return SowDrafted(**{**terms, **more})


SOW = sow_of(fixed_line())
HOURLY_SOW = sow_of(hourly_line())
WON = DealWon(
    company="us",
    proposal_version=1,
    lines=SOW.lines,
    price=eur(20_000),
    deliverables=DELIVERABLES,
    starts_on=MONDAY,
    finishes_on=date(2026, 7, 31),
    payment_terms_days=30,
    won_on=date(2026, 3, 10),
)
SIGNATORIES = (
    Signatory(party="company", person="carl", signed_on=SIGNED),
    Signatory(party="customer", person="cleo", signed_on=SIGNED),
)
SOW_SIGNED = SowSigned(version=1, content_hash=HASH, signatories=SIGNATORIES, signed_on=SIGNED)
TASKS = (
    PlannedTask(
        task="t1",
        title="Analyse",
        phase="Analysis",
        starts_on=date(2026, 4, 6),
        finishes_on=date(2026, 4, 15),
        hours=(RoleHours(role="architect", hours=Decimal(40)),),
    ),
    PlannedTask(
        task="t2",
        title="Build",
        phase="Build",
        starts_on=date(2026, 4, 16),
        finishes_on=date(2026, 5, 5),
        hours=(
            RoleHours(role="developer", hours=Decimal(80)),
            RoleHours(role="project-manager", hours=Decimal(30)),
        ),
    ),
)
BASELINED = PlanBaselined(
    version=1,
    milestones=(),
    tasks=TASKS,
    deliverables=DELIVERABLES,
    baselined_on=date(2026, 4, 1),
)
REPORT = Deliverable(deliverable="report", title="Report")
REPORT_ENTRY = BillingItem(
    item="report", kind="on-acceptance", amount=eur(2_900), deliverables=("report",)
)


def assessed(*changes: LineScopeChange, change: str = "CR-1") -> ChangeAssessed:
    return ChangeAssessed(change=change, changes=changes, days=7, risk="Low.")


ASSESSED = assessed(scope(developer=20, tester=10))
NO_HOURS = assessed(scope())
"""Assessment of a change without hours."""
REQUESTED = ChangeRequested(
    change="CR-1",
    requested_by="cleo",
    description="Another report.",
    requested_on=date(2026, 4, 20),
)


def line_change(
    price: Decimal | int | str = 2_900,
    *,
    line: str = "work",
    added: tuple[Deliverable, ...] = (),
    removed: tuple[str, ...] = (),
    billing: tuple[BillingItem, ...] = (),
    **more: Any,
) -> LineChange:
    """Return the change of a line's price, deliverables and billing."""
    return LineChange(
        line=line,
        price_delta=eur(price),
        deliverables_added=added,
        deliverables_removed=removed,
        billing_added=billing,
        **more,
    )


def amendment(*changes: LineChange, change: str = "CR-1", **more: Any) -> AmendmentSigned:
    """Return a signed amendment with these changes, signed on 27 April unless a day is given."""
    terms: dict[str, Any] = {
        "amendment": f"A-{change}",
        "change": change,
        "content_hash": HASH,
        "changes": changes,
        "price_delta": Money.total((each.price_delta for each in changes), "EUR"),
        "finishes_on": date(2026, 8, 7),
        "signatories": SIGNATORIES,
        "signed_on": date(2026, 4, 27),
    }
    return AmendmentSigned(**{**terms, **more})


def cut_by(price: int | str, *removed: str, **more: Any) -> AmendmentSigned:
    """Return a signed amendment that lowers the price of the line `work`."""
    return amendment(line_change(-Decimal(price), removed=removed), **more)


ADDED = line_change(added=(REPORT,), billing=(REPORT_ENTRY,))
AMENDMENT = amendment(ADDED)
TERMINATED = EngagementTerminated(reason="mutual", terminated_on=date(2026, 5, 15))


def entries(
    name: str,
    role: str = "developer",
    hours: Decimal | int | str = 8,
    day: date = MONDAY,
    **more: Any,
) -> tuple[ApprovedEntry, ...]:
    """Return entries of a day, with 24 hours at most each: `a`, then `a.2`, `a.3`."""
    left, found = Decimal(hours), list[ApprovedEntry]()
    while left > 0 or not found:
        each = f"{name}.{len(found) + 1}" if found else name
        part = min(left, Decimal(24))
        entry = ApprovedEntry(entry=each, day=day, role=role, hours=part, **{"task": "t2", **more})
        found.append(entry)
        left -= part
    return tuple(found)


def week_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def time(
    entry: str,
    role: str = "developer",
    hours: Decimal | int | str = 8,
    day: date = MONDAY,
    *,
    person: str = "dev",
    why_not_billed: str | None = None,
    **more: Any,
) -> TimeApproved:
    """Return the approval of hours of one day; more than 24 hours are several entries."""
    return TimeApproved(
        person=person,
        week=week_of(day),
        entries=entries(entry, role, hours, day, **more),
        why_not_billed=why_not_billed,
    )


def time_reversed(approved: TimeApproved, *names: str) -> TimeReversed:
    """Return the reversal of all entries of an approval, or of some."""
    return TimeReversed(
        person=approved.person,
        week=approved.week,
        entries=tuple(each for each in approved.entries if not names or each.entry in names),
        why="Another engagement.",
        reversed_on=date(2026, 5, 11),
    )


def expense(name: str, amount: Money, on: date = MONDAY, **more: Any) -> ExpenseApproved:
    terms = {"person": "dev", "description": "Train", "category": "travel", **more}
    return ExpenseApproved(expense=name, amount=amount, spent_on=on, **terms)


def expense_reversed(approved: ExpenseApproved) -> ExpenseReversed:
    return ExpenseReversed(
        **spent_of(approved), why="Another engagement.", reversed_on=date(2026, 5, 11)
    )


def spent_of(approved: ExpenseApproved) -> dict[str, Any]:
    """Return the fields of the expense that was approved."""
    return {name: getattr(approved, name) for name in Expense.model_fields}


def accepted(deliverable: str, on: date = date(2026, 5, 4)) -> DeliverableAccepted:
    return DeliverableAccepted(
        deliverable=deliverable, submission=1, accepted_by="cleo", accepted_on=on
    )


def progress(task: str, complete: int, on: date = date(2026, 4, 20)) -> TaskProgressed:
    return TaskProgressed(
        task=task, complete=Decimal(complete), remaining_hours=Decimal(10), as_of=on
    )


def report(as_of: date, hours_to_complete: int = 110, *, number: int = 1) -> StatusReportPublished:
    return StatusReportPublished(
        report=number,
        as_of=as_of,
        scope="green",
        schedule="green",
        cost="green",
        narrative="All is well.",
        forecast_finish=date(2026, 7, 31),
        estimate_to_complete=Decimal(hours_to_complete),
    )


TRAVEL = fixed_line(
    BillingItem(item="travel", kind="time", amount=eur(2_040)),
    line="travel",
    kind="expenses",
    pricing="at-cost",
    price=eur(2_040),
    hours=(),
    deliverables=(),
)
"""Travel that is billed at cost, 2,040 EUR of which are planned."""


def exchange(rate: str, day: date, base: str = "EUR", quote: str = "USD") -> ExchangeRatePublished:
    return ExchangeRatePublished(
        exchange_rate=f"{base}-{quote}-{day}",
        base=base,
        quote=quote,
        rate=Decimal(rate),
        source="ECB",
        effective_from=day,
    )


def opened(*, card: bool = True, costs: bool = True) -> Scenario[Engagement]:
    """Return a scenario in which Sales has opened the opportunity, and nothing else happened."""
    known: list[Reference] = [
        *UNTAXED,
        *([CARD] if card else []),
        *([COSTS] if costs else []),
    ]
    return given(ENGAGEMENT, ID, records=known).consumed(OPENED).on(ESTIMATED)


def contracted(
    sow: SowDrafted = SOW, *, card: bool = True, costs: bool = True
) -> Scenario[Engagement]:
    """Return a scenario with a signed statement of work and everything that follows from it."""
    return (
        opened(card=card, costs=costs)
        .when_consumed(ESTIMATE, PROPOSED, WON, sow)
        .then_accepted()
        .on(SIGNED)
        .when_consumed(SOW_SIGNED)
        .then_accepted()
    )


def hearing(scenario: Scenario[Engagement], *events: Event) -> Scenario[Engagement]:
    """Return the scenario after these events and the reactions to them."""
    return scenario.when_consumed(*events).then_accepted()


def issued(
    scenario: Scenario[Engagement], invoice: str, number: str, on: date
) -> Scenario[Engagement]:
    """Return the scenario after a draft was approved, numbered and issued on a day."""
    after = scenario.on(on).after(ApproveInvoice(invoice=invoice), by="cora")
    taken = NumberTaken(number=int(number.rpartition("-")[2]), on=on)
    return after.when_outcome(f"invoice.{invoice}", "1", taken).then_accepted()


def credit_issued(
    scenario: Scenario[Engagement], command: IssueCreditNote, number: int = 1
) -> Scenario[Engagement]:
    """Return the scenario after a credit note was approved, numbered and issued."""
    approved = scenario.when(command, by="cora")
    (request,) = approved.requests
    taken = NumberTaken(number=number, on=scenario.moment.date())
    return approved.after.when_outcome(request.id, request.item, taken).then_accepted()


def recognise(month: str) -> RecogniseRevenue:
    return RecogniseRevenue(month=f"2026-{month}")


def lined(invoice: str, *lines: InvoiceLineContent) -> tuple[InvoiceLine, ...]:
    """Return the lines with the ids that they have on an invoice."""
    return tuple(with_ids(invoice, lines))


def entry(
    month: str,
    amount: int | str,
    cumulative: int | str,
    method: RevenueMethod,
    obligation: str | None = None,
) -> RevenueRecognised | RevenueByCostRecognised:
    """Return the revenue of a month of 2026: of the fixed lines, or by invoice of `work`."""
    kind = RevenueByCostRecognised if method == "cost-to-cost" else RevenueRecognised
    return kind(
        month=f"2026-{month}",
        obligation=obligation or ("work" if method == "as-invoiced" else "fixed"),
        method=method,
        amount=eur(amount),
        cumulative=eur(cumulative),
    )


def year_end(engagement: Scenario[Engagement]) -> Scenario[Engagement]:
    return engagement.on(date(2027, 1, 1))


def method(name: RevenueMethod) -> ChooseRevenueMethod:
    return ChooseRevenueMethod(obligation="fixed", method=name, why="Short.")


def at_acceptance(*schedule: BillingItem) -> Scenario[Engagement]:
    """Return a contract with revenue at acceptance, by this schedule or the usual one."""
    papers = opened().when_consumed(ESTIMATE, PROPOSED, WON, sow_of(fixed_line(*schedule)))
    chosen = papers.then_accepted().after(method("at-acceptance"))
    return hearing(chosen.on(SIGNED), SOW_SIGNED)


def paid_up(engagement: Scenario[Engagement], on: date) -> Scenario[Engagement]:
    """Return the scenario with all of the schedule invoiced and paid; its work is accepted."""
    engagement = engagement.when_deadline("due-care").then_accepted()
    amounts = {"start": 5_000, "design": 6_000, "portal": 7_000, "care": 2_000}
    for number, (item, amount) in enumerate(amounts.items(), start=1):
        engagement = issued(engagement, f"invoice-{item}", f"2026-{number:05}", on)
        payment = allocate(f"invoice-{item}", eur(amount))
        engagement = engagement.after(payment)
    return engagement


def delivered() -> Scenario[Engagement]:
    """Return a contract whose work is all accepted, invoiced and paid by 4 August."""
    worked = hearing(contracted(), time("a", role="architect", hours=40))
    done = hearing(worked, *(accepted(each, date(2026, 6, 1)) for each in ("design", "portal")))
    return paid_up(done, date(2026, 8, 4))


def drafts_and_invoices(scenario: Scenario[Engagement]) -> dict[str, InvoiceView]:
    """Return the invoices in the view, drafts and void ones included, by id."""
    return {each.invoice: each for each in scenario.view["invoices"]}


def newest_invoice(scenario: Scenario[Engagement]) -> str:
    """Return the id of the invoice that was drafted last."""
    return list(drafts_and_invoices(scenario))[-1]


def recognised(scenario: Scenario[Engagement], month: str) -> Money:
    """Return the recognised revenue; `month` is the last recognised one of 2026."""
    scenario.then_view(recognised_to=f"2026-{month}")
    total: Money = scenario.view["recognised"]
    return total


def sent() -> Scenario[Engagement]:
    """Return a contract whose first invoice, of 5,000 EUR, is issued on 1 April."""
    return issued(contracted(), "invoice-start", "2026-00007", APRIL_1)


PAYMENT = "P-0000000000001"


def allocate(invoice: str, amount: Money, **more: object) -> TakeAllocation:
    """Return the request of a payment of 1 April; equal ones are one allocation."""
    terms = {
        "payment": PAYMENT,
        "company": "us",
        "account": "acme",
        "allocation": f"A-{derived(f'{invoice}/{amount}/{more}')}",
        "invoice": invoice,
        "amount": amount,
        "received_on": APRIL_1,
    }
    return TakeAllocation.model_validate({**terms, **more})


def pay(amount: int | str, **more: object) -> TakeAllocation:
    return allocate("invoice-start", eur(amount), **more)


def credit(amount: int | str, why: str = "Goodwill.") -> IssueCreditNote:
    return IssueCreditNote(intent="give-back", invoice="invoice-start", amount=eur(amount), why=why)
