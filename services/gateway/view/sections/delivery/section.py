"""Compose Delivery's section of its parts, one for each capability."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import get_args

from contracts import delivery
from contracts.decimals import Number
from contracts.money import Money
from contracts.values import Tier
from gateway.redaction import ByPerson
from gateway.view.sections.delivery import (
    acceptance,
    changes,
    closing,
    customer_inputs,
    estimates,
    expenses,
    planning,
    progress,
    raid,
    staffing,
    surveys,
    time_entries,
)
from gateway.view.sections.delivery.acceptance import SubmittedDeliverable
from gateway.view.sections.delivery.changes import Change
from gateway.view.sections.delivery.customer_inputs import CustomerInput, customer_input
from gateway.view.sections.delivery.estimates import Estimate
from gateway.view.sections.delivery.expenses import WaitingExpense
from gateway.view.sections.delivery.planning import Baseline, Tasks
from gateway.view.sections.delivery.raid import RaidItem, Raised, raid_item
from gateway.view.sections.delivery.staffing import Allocation
from gateway.view.sections.delivery.surveys import Survey
from gateway.view.sections.delivery.time_entries import WaitingWeek, Worked
from gateway.view.sections.sentences import answer, question
from gateway.view.sections.steps import (
    AmendmentVerdict,
    Kept,
    Ref,
    Review,
    Steps,
    each_by,
    each_with_day,
    newest,
    newest_ref,
    review,
    verdict_on_amendment,
)

_RAG = ("green", "amber", "red")


@dataclass(slots=True)
class DeliverySection:
    """The engagement as Delivery published it."""

    questions: dict[str, Kept[delivery.QuestionAsked]] = each_by(
        delivery.QuestionAsked, lambda event: event.question
    )
    answers: dict[str, Kept[delivery.QuestionAnswered]] = each_by(
        delivery.QuestionAnswered, lambda event: event.question
    )
    manager: str | None = None
    manager_assigned_on: date | None = None
    manager_first_assigned: Ref | None = None
    tier_chosen: Kept[delivery.TierChosen] | None = newest(delivery.TierChosen)
    estimates: dict[int, Estimate] = field(default_factory=dict)
    sow_reviews: dict[int, Kept[Review]] = each_by(
        delivery.SowReviewed, lambda event: event.version, kept=review
    )
    amendment_reviews: dict[str, Kept[AmendmentVerdict]] = each_by(
        delivery.AmendmentReviewed, lambda event: event.amendment, kept=verdict_on_amendment
    )
    allocations: dict[str, Allocation] = field(default_factory=dict)
    """The last allocation of each person to each request, also of people who were released."""
    allocated: Ref | None = newest_ref(delivery.ResourceAllocated, delivery.ResourceReleased)
    workloads: dict[str, Kept[delivery.WorkloadMeasured]] = each_by(
        delivery.WorkloadMeasured, lambda event: event.person
    )
    """The last comparison of each person's allocations over all engagements with their hours."""
    requirements: dict[int, Kept[delivery.BrdSignedOff]] = each_by(
        delivery.BrdSignedOff, lambda event: event.version
    )
    """The requirements that the customer signed off, by version."""
    plan_drafted: Ref | None = newest_ref(delivery.PlanDrafted)
    baseline: Baseline | None = None
    tasks: Tasks = field(default_factory=Tasks)
    kickoff: Kept[delivery.KickoffHeld] | None = newest(
        delivery.KickoffHeld, until=(delivery.KickoffWithdrawn,)
    )
    waiting: ByPerson[WaitingWeek] = field(default_factory=dict)
    """Time that waits for approval, by person and Monday (``eve/2026-03-02``)."""
    approved_hours: Number = Decimal(0)
    approved_works: int = 0
    """The approved time entries and expenses, without those that were reversed."""
    project_management_hours: Number = Decimal(0)
    hours_by_line: dict[str, Number] = field(default_factory=dict)
    """Approved hours by contract line; those of tasks that name no line are not in it."""
    weeks: dict[date, Worked] = field(default_factory=dict)
    last_approved: Ref | None = newest_ref(delivery.TimeApproved)
    waiting_expenses: ByPerson[WaitingExpense] = field(default_factory=dict)
    """Expenses that wait for approval, by id."""
    billable_expenses: dict[str, Money] = field(default_factory=dict)
    """Approved billable expenses by contract line, day and currency.

    The keys are the line, empty where none is named, the day and the currency, with slashes between
    them.
    """
    billable_expense: dict[str, Ref] = field(default_factory=dict)
    """The last approval of a billable expense by contract line, empty where none is named."""
    complete: dict[str, Number] = field(default_factory=dict)
    """The last reported completion of each task."""
    milestones_reached: dict[str, Kept[delivery.MilestoneReached]] = each_by(
        delivery.MilestoneReached,
        lambda event: event.milestone,
        until=delivery.MilestoneWithdrawn,
    )
    deliverables: dict[str, SubmittedDeliverable] = field(default_factory=dict)
    raid: dict[str, RaidItem] = each_with_day(
        get_args(Raised),
        lambda event: event.item,
        raid_item,
        day="closed_on",
        by=delivery.RaidItemClosed,
        reopened=delivery.RaidItemReopened,
        until=delivery.RaidItemWithdrawn,
    )
    decisions: dict[str, Kept[delivery.DecisionRecorded]] = each_by(
        delivery.DecisionRecorded, lambda event: event.item, until=delivery.RaidItemWithdrawn
    )
    customer_inputs: dict[str, CustomerInput] = each_with_day(
        (delivery.CustomerInputRequested,),
        lambda event: event.input,
        customer_input,
        day="received_on",
        by=delivery.CustomerInputReceived,
        reopened=delivery.CustomerInputReopened,
        until=delivery.CustomerInputWithdrawn,
    )
    customer_delays: dict[str, Kept[delivery.CustomerDelayRecorded]] = each_by(
        delivery.CustomerDelayRecorded,
        lambda event: event.delay,
        until=delivery.CustomerDelayWithdrawn,
    )
    report: Kept[delivery.StatusReportPublished] | None = newest(delivery.StatusReportPublished)
    reports: dict[int, Ref] = field(default_factory=dict)
    """The status reports by number, as evidence of what was measured for them."""
    changes: dict[str, Change] = field(default_factory=dict)
    live: Kept[delivery.SolutionWentLive] | None = newest(
        delivery.SolutionWentLive, until=(delivery.GoLiveWithdrawn,)
    )
    surveys: dict[str, Survey] = field(default_factory=dict)
    review_held: Ref | None = newest_ref(delivery.PirHeld)
    held: Kept[delivery.EngagementPutOnHold] | None = None
    """Since when and why the work is on hold."""
    holds: dict[date, Kept[delivery.EngagementPutOnHold]] = each_by(
        delivery.EngagementPutOnHold, lambda event: event.held_on
    )
    past_holds: dict[date, date] = field(default_factory=dict)
    """The holds that have ended: the day on which the work continued, by the first day."""
    closed: Kept[delivery.EngagementClosed] | None = newest(delivery.EngagementClosed)
    imported: Kept[delivery.EngagementImported] | None = newest(delivery.EngagementImported)

    def is_accepted(self, deliverable: str) -> bool:
        """Return whether the customer accepted a deliverable, here or before the take-over."""
        known = self.deliverables.get(deliverable)
        taken_over = self.imported.event.deliverables if self.imported else ()
        return (known is not None and known.status == "accepted") or any(
            each.deliverable == deliverable and each.accepted_on is not None for each in taken_over
        )

    @property
    def hours_before(self) -> Decimal:
        """The hours to date that were taken over."""
        taken_over = self.imported.event.hours if self.imported else ()
        return sum((each.hours for each in taken_over), Decimal(0))

    @property
    def tier(self) -> Tier | None:
        """The tier of the delivery method, or None where none was chosen."""
        return self.tier_chosen.event.tier if self.tier_chosen else None

    @property
    def rag(self) -> str | None:
        """The worst of scope, schedule and cost in the latest status report, or None."""
        if self.report is None:
            return None
        event = self.report.event
        return max((event.scope, event.schedule, event.cost), key=_RAG.index)

    @property
    def waiting_hours(self) -> Decimal:
        """The hours that are submitted and not decided."""
        entries = (each.entries.values() for each in self.waiting.values())
        return sum((entry.hours for week in entries for entry in week), Decimal(0))

    def open_items(self) -> list[RaidItem]:
        """Return the RAID items that are not closed."""
        return [item for item in self.raid.values() if item.closed_on is None]


steps = Steps[DeliverySection](
    DeliverySection,
    staffing.steps,
    estimates.steps,
    planning.steps,
    time_entries.steps,
    expenses.steps,
    progress.steps,
    acceptance.steps,
    raid.steps,
    customer_inputs.steps,
    changes.steps,
    surveys.steps,
    closing.steps,
)
steps.describe(delivery.QuestionAsked, question("Delivery"))
steps.describe(delivery.QuestionAnswered, answer("Delivery"))
