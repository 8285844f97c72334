"""Build the recorded events of one healthy engagement, from its opening to its closing.

The `heard` of each event contains all events before it. For other engagements, leave out events
with `Life.without`, or add events with `Life.say`.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import count

from contracts import delivery, finance, legal, sales
from contracts.channels import named_in_heard
from contracts.event import Event, Recorded
from contracts.lines import (
    BillingItem,
    ContractLine,
    LineChange,
    LineScopeChange,
    PerformanceObligation,
    ProposedLine,
    RoleHoursDelta,
    with_usual_billing,
)
from contracts.values import (
    Deliverable,
    EstimateLine,
    Margin,
    Milestone,
    PlannedTask,
    PricedLine,
    RoleHours,
    Signatory,
)
from tests.amounts import eur, per_hour
from tests.invoices import untaxed
from tests.weeks import approved, costed, submitted

ENGAGEMENT = "E-0000000000001"
HASH = "sha256:" + "a" * 64
BRD_HASH = "sha256:" + "b" * 64
PORTAL = Deliverable(deliverable="portal", title="Customer portal")
REPORTS = Deliverable(deliverable="reports", title="Management reports")


def line_change(line: str, price: int, **hours: int) -> LineChange:
    """Return a change of a line by an amount in EUR, and by hours of roles."""
    deltas = tuple(
        RoleHoursDelta(role=role.replace("_", "-"), hours=Decimal(number))
        for role, number in hours.items()
    )
    return LineChange(line=line, hours=deltas, price_delta=eur(price))


def scope_of(change: LineChange) -> LineScopeChange:
    """Return a change of a line without its price, as it is assessed."""
    return LineScopeChange(
        line=change.line,
        hours=change.hours,
        deliverables_added=change.deliverables_added,
        deliverables_removed=change.deliverables_removed,
        new=change.new,
    )


class Life:
    """Builder of one engagement's events, in the order in which they are recorded."""

    def __init__(self, engagement: str = ENGAGEMENT, begins: date = date(2026, 1, 5)) -> None:
        self.engagement = engagement
        self.begins = begins
        self.events: list[Recorded[Event]] = []
        self._position: dict[str, int] = {}
        self._numbers = count(1)

    def day(self, days: int) -> date:
        return self.begins + timedelta(days=days)

    def say(self, days: int, *events: Event, deaf_to: Sequence[str] = ()) -> "Life":
        """Record events `days` after the beginning; `heard` leaves out the channels `deaf_to`."""
        for event in events:
            channel = event.channel.name
            sequence = self._position.get(channel, 0) + 1
            number = next(self._numbers)
            moment = datetime.combine(self.day(days), time(9), UTC) + timedelta(seconds=number)
            self.events.append(
                Recorded(
                    id=f"{self.engagement}-{number:06d}",
                    subject=self.engagement,
                    sequence=sequence,
                    event=event,
                    actor="ann",
                    cause=f"test-{number}",
                    occurred_at=moment,
                    recorded_at=moment,
                    heard={
                        name: last
                        for name, last in self._position.items()
                        if name != channel
                        and name not in deaf_to
                        and named_in_heard(event.channel, name)
                    },
                )
            )
            self._position[channel] = sequence
        return self

    def without(self, *kinds: type[Event]) -> "Life":
        """Return a copy without events of these types; sequences have no gap."""
        other = Life(self.engagement, self.begins)
        for recorded in self.events:
            if not isinstance(recorded.event, kinds):
                other.say((recorded.occurred_at.date() - self.begins).days, recorded.event)
        return other

    # The steps of a healthy engagement, in their order; each adds the events of those before it.

    def opened(self) -> "Life":
        return self.say(
            0,
            sales.OpportunityOpened(
                account="acme",
                title="Portal for Acme",
                expected_value=eur(100_000),
                expected_close=self.day(40),
                owner="ann",
            ),
            sales.OpportunityQualified(
                budget=True, authority=True, need=True, timing=True, score=Decimal(80)
            ),
        ).say(0, delivery.ManagerAssigned(manager="max", assigned_on=self.day(0)))

    def proposed(self) -> "Life":
        lines = (
            PricedLine(role="engineer", hours=Decimal(800), rate=per_hour(100), amount=eur(80_000)),
            PricedLine(
                role="project-manager",
                kind="project-management",
                hours=Decimal(160),
                rate=per_hour(125),
                amount=eur(20_000),
            ),
        )
        return (
            self.opened()
            .say(
                3,
                sales.EstimateRequested(scope_summary="A portal.", deliverables=(PORTAL, REPORTS)),
            )
            .say(
                5,
                delivery.EstimateSubmitted(
                    version=1,
                    lines=(
                        EstimateLine(phase="Build", role="engineer", hours=Decimal(800)),
                        EstimateLine(
                            phase="Manage",
                            role="project-manager",
                            hours=Decimal(160),
                            kind="project-management",
                        ),
                    ),
                    contingency=Decimal(0),
                    template="web",
                    duration_days=120,
                    confidence="high",
                ),
            )
            .say(
                5,
                finance.EstimatePriced(
                    estimate_version=1,
                    rate_card="standard-EUR",
                    rate_card_version=1,
                    lines=lines,
                    price=eur(100_000),
                    project_management_share=Decimal(20),
                    floor="above",
                ),
                finance.EstimateCosted(estimate_version=1, cost=eur(70_000), margin=Decimal("0.3")),
            )
            .say(6, delivery.EstimateEndorsed(version=1, manager="max"))
            .say(
                8,
                sales.ProposalDrafted(
                    version=1,
                    estimate_version=1,
                    company="our",
                    deliverables=(PORTAL, REPORTS),
                    lines=tuple(
                        ProposedLine(**dict(line) | {"billing": ()}) for line in self.lines()
                    ),
                    price=eur(100_000),
                    promised_start=self.day(30),
                    promised_finish=self.day(150),
                    valid_until=self.day(60),
                    method="Standard.",
                ),
                sales.ProposalSubmitted(version=1, submitted_on=self.day(9)),
            )
        )

    def lines(self) -> tuple[ContractLine, ContractLine]:
        """Return the lines of the contract: the portal, and project management."""
        build = ContractLine(
            line="build",
            title="Portal",
            pricing="fixed",
            price=eur(80_000),
            hours=(RoleHours(role="engineer", hours=Decimal(800)),),
            deliverables=("portal", "reports"),
            billing=(
                BillingItem(item="advance", kind="on-signature", amount=eur(30_000)),
                BillingItem(
                    item="final",
                    kind="on-acceptance",
                    amount=eur(50_000),
                    deliverables=("portal", "reports"),
                ),
            ),
        )
        manage = ContractLine(
            line="manage",
            title="Project management",
            kind="project-management",
            pricing="fixed",
            price=eur(20_000),
            hours=(RoleHours(role="project-manager", hours=Decimal(160)),),
        )
        return build, with_usual_billing(manage, self.day(150))

    def schedule(self) -> tuple[BillingItem, BillingItem, BillingItem]:
        """Return the billing entries: the advance, the final one, and project management."""
        build, manage = self.lines()
        advance, final = build.billing
        return advance, final, manage.billing[0]

    def sow(self, **changed: object) -> legal.SowDrafted:
        """Return the first version of the statement of work, with changed fields."""
        drafted = legal.SowDrafted(
            version=1,
            content_hash=HASH,
            engagement=self.engagement,
            company="our",
            customer="acme",
            template="sow",
            template_version=1,
            proposal_version=1,
            scope="The portal.",
            deliverables=(PORTAL, REPORTS),
            lines=self.lines(),
            price=eur(100_000),
            starts_on=self.day(30),
            finishes_on=self.day(150),
            effective_on=self.day(30),
            payment_terms_days=30,
        )
        return drafted.model_copy(update=changed)

    def won(self) -> "Life":
        return self.proposed().say(
            15,
            sales.DealWon(
                proposal_version=1,
                company="our",
                lines=self.lines(),
                price=eur(100_000),
                deliverables=(PORTAL, REPORTS),
                starts_on=self.day(30),
                finishes_on=self.day(150),
                payment_terms_days=30,
                won_on=self.day(15),
            ),
        )

    def signed(self) -> "Life":
        signatories = (
            Signatory(party="company", person="carl", signed_on=self.day(24)),
            Signatory(party="customer", person="cora", signed_on=self.day(25)),
        )
        return (
            self.won()
            .say(
                16,
                legal.FileOpened(account="acme", title="Portal for Acme"),
                self.sow(),
            )
            .say(18, delivery.SowReviewed(version=1, content_hash=HASH, verdict="approved"))
            .say(19, finance.SowReviewed(version=1, content_hash=HASH, verdict="approved"))
            .say(
                20,
                legal.SowApproved(version=1, content_hash=HASH),
                legal.SowSentForSignature(version=1, content_hash=HASH, sent_on=self.day(20)),
                legal.SowSigned(
                    version=1,
                    content_hash=HASH,
                    signatories=signatories,
                    signed_on=self.day(25),
                ),
            )
            .say(
                25,
                finance.BudgetSet(
                    price=eur(100_000),
                    lines=self.lines(),
                    obligations=(
                        PerformanceObligation(
                            obligation="fixed", lines=("build", "manage"), method="cost-to-cost"
                        ),
                    ),
                ),
                finance.BudgetCosted(
                    cost=eur(70_000),
                    lines=(
                        finance.LineCost(line="build", cost=eur(56_000)),
                        finance.LineCost(line="manage", cost=eur(14_000)),
                    ),
                    margin_sold=Margin(
                        revenue=eur(100_000), cost=eur(70_000), margin=Decimal("0.3")
                    ),
                ),
            )
        )

    def plan(self, version: int, *changes: str) -> delivery.PlanBaselined:
        return delivery.PlanBaselined(
            version=version,
            milestones=(
                Milestone(
                    milestone="done",
                    title="Done",
                    due_on=self.day(150),
                    deliverables=("portal", "reports"),
                ),
            ),
            tasks=(
                PlannedTask(
                    task="build",
                    title="Build",
                    phase="Build",
                    starts_on=self.day(35),
                    finishes_on=self.day(145),
                    hours=(RoleHours(role="engineer", hours=Decimal(800)),),
                    line="build",
                ),
                PlannedTask(
                    task="manage",
                    title="Manage",
                    phase="Manage",
                    starts_on=self.day(30),
                    finishes_on=self.day(150),
                    hours=(RoleHours(role="project-manager", hours=Decimal(160)),),
                    kind="project-management",
                    line="manage",
                    implementation=False,
                ),
            ),
            deliverables=(PORTAL, REPORTS),
            changes=changes,
            baselined_on=self.day(32),
        )

    def kicked_off(self) -> "Life":
        return self.signed().say(
            30,
            delivery.BrdSubmitted(version=1, content_hash=BRD_HASH),
            delivery.BrdSignedOff(
                version=1, content_hash=BRD_HASH, signed_by="cora", signed_on=self.day(31)
            ),
            self.plan(1),
            delivery.KickoffHeld(held_on=self.day(33), attendees=("max", "cora")),
        )

    def week(self, number: int) -> date:
        """Return the Monday of the n-th week of work."""
        monday = self.begins - timedelta(days=self.begins.weekday())
        return monday + timedelta(weeks=5 + number)

    def worked(self, weeks: int = 15) -> "Life":
        self.kicked_off()
        for number in range(weeks):
            days = (self.week(number) - self.begins).days + 4
            entry = f"T-{number:03d}"
            work = approved(entry, self.week(number), 40, line="build")
            self.say(
                days,
                submitted(entry, self.week(number), 40),
                work,
                delivery.TaskProgressed(
                    task="build",
                    complete=Decimal(100 * (number + 1)) / weeks // 1,
                    remaining_hours=Decimal(40 * (weeks - number - 1)),
                    as_of=self.day(days),
                ),
            ).say(
                days + 1,
                costed(work, "80", str(40 * 80 * (number + 1))),
            )
            if number % 2:
                self.say(days + 1, self.report(number // 2 + 1, days + 1))
        return self

    def report(
        self, number: int, days: int, *, finish: int = 150, cost: str = "green"
    ) -> delivery.StatusReportPublished:
        return delivery.StatusReportPublished.model_validate(
            {
                "report": number,
                "as_of": self.day(days),
                "scope": "green",
                "schedule": "green",
                "cost": cost,
                "narrative": "Well.",
                "forecast_finish": self.day(finish),
                "estimate_to_complete": Decimal(100),
            }
        )

    def measured_report(self) -> finance.MeasuredReport:
        """Return what Finance repeats of the last status report when it measures it."""
        said = next(
            each
            for each in reversed(self.events)
            if each.event.type.endswith("report-published.v1")
        )
        assert isinstance(said.event, delivery.StatusReportPublished)
        return finance.MeasuredReport(
            report=said.event.report,
            streamsequence=said.sequence,
            schedule=said.event.schedule,
            cost=said.event.cost,
        )

    def invoice(self, item: BillingItem, number: int, days: int) -> tuple[Event, ...]:
        line = "manage" if item.item == "manage" else "build"
        return (
            finance.BillingEventDue(
                billing_event=f"due-{item.item}",
                line=line,
                item=item.item,
                kind=item.kind,
                amount=item.amount,
                due_on=self.day(days),
                deliverables=item.deliverables,
            ),
            finance.InvoiceIssued(
                invoice=f"I-{item.item}",
                number=f"2026-{number:05d}",
                billing_event=f"due-{item.item}",
                kind=item.kind,
                **untaxed(item.amount),
                advance_drawn=eur(0),
                deliverables=item.deliverables,
                lines=(
                    finance.InvoiceLine(
                        invoice_line="L-1", description="Services", line=line, amount=item.amount
                    ),
                ),
                issued_on=self.day(days),
                due_on=self.day(days + 30),
            ),
        )

    def accepted(self) -> "Life":
        self.worked()
        for name in ("portal", "reports"):
            self.say(
                148,
                delivery.DeliverableSubmitted(
                    deliverable=name, submission=1, content_hash=HASH, submitted_on=self.day(148)
                ),
                delivery.DeliverableAccepted(
                    deliverable=name, submission=1, accepted_by="cora", accepted_on=self.day(149)
                ),
            )
        return self.say(149, delivery.MilestoneReached(milestone="done", reached_on=self.day(149)))

    def _paid(self, item: str, amount: int, days: int) -> finance.PaymentAllocated:
        return finance.PaymentAllocated(
            payment=f"P-{item}",
            allocation=f"A-{item}",
            invoice=f"I-{item}",
            amount=eur(amount),
            received_on=self.day(days),
        )

    def closed(self) -> "Life":
        self.accepted()
        for number, item in enumerate(self.schedule(), 1):
            self.say(149, *self.invoice(item, number, 26 if number == 1 else 149))
        self.say(
            160,
            self._paid("advance", 30_000, 50),
            self._paid("final", 50_000, 160),
            self._paid("manage", 20_000, 160),
            finance.RevenueByCostRecognised(
                month="2026-05",
                obligation="fixed",
                method="cost-to-cost",
                amount=eur(100_000),
                cumulative=eur(100_000),
            ),
            finance.AccountSettled(
                billed=eur(100_000), paid=eur(100_000), written_off=eur(0), settled_on=self.day(160)
            ),
        )
        return self.say(
            165,
            delivery.SolutionWentLive(live_on=self.day(150)),
            delivery.SurveySent(
                survey="S-1",
                kind="csat-and-nps",
                phase="Build",
                questions=(
                    delivery.SurveyQuestion(question="quality", text="How good is our work?"),
                    delivery.SurveyQuestion(question="communication", text="Are you informed?"),
                ),
                contacts=("cora",),
                sent_on=self.day(155),
            ),
            delivery.SurveyAnswered(
                survey="S-1",
                answered_by="cora",
                satisfaction={"quality": 5, "communication": 4},
                recommend=9,
                answered_on=self.day(158),
            ),
            delivery.PirHeld(
                held_on=self.day(162),
                went_well=("Early manager",),
                went_badly=("Late data",),
                sold_hours=Decimal(960),
                delivered_hours=Decimal(600),
            ),
            delivery.EngagementClosed(closed_on=self.day(165)),
        )
