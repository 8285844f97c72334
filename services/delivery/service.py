"""The delivery service: ``python -m delivery.service``."""

from chassis.domain.decider import Decider
from chassis.domain.reference import Record, company_zone, reference_decider
from chassis.runtime.service import Service, run
from chassis.web.command_routes import CommandRoutes, Related
from chassis.web.document_routes import Private
from chassis.web.engagement_routes import EngagementRoutes
from chassis.web.reference_routes import ReferenceRoutes
from common.decider import engagement_decider
from contracts.reference import (
    AccountPublished,
    CalendarPublished,
    CompanyPublished,
    ContactPublished,
    LeavePublished,
    PersonPublished,
    StandInsPublished,
    TemplatePublished,
    TolerancesPublished,
)
from contracts.roles import COMPANY
from contracts.values import PersonId
from delivery.acceptance import decisions as acceptance
from delivery.calendars import decisions as calendars
from delivery.changes import decisions as changes
from delivery.closing import decisions as closing
from delivery.contract import decisions as contract
from delivery.customer_inputs import decisions as customer_inputs
from delivery.deal import decisions as deal
from delivery.decided_expenses import decisions as decided_expenses
from delivery.decided_expenses.events import ExpenseId
from delivery.decided_expenses.state import DecidedExpense
from delivery.engagement import Engagement
from delivery.estimates import decisions as estimates
from delivery.expenses import decisions as expenses
from delivery.importing import decisions as importing
from delivery.kickoff import decisions as kickoff
from delivery.leave import decisions as leave
from delivery.management import decisions as management
from delivery.people import decisions as people
from delivery.planning import decisions as planning
from delivery.policies import require_open
from delivery.progress import decisions as progress
from delivery.raid import decisions as raid
from delivery.requirements import decisions as requirements
from delivery.resources import decisions as resources
from delivery.roles import ACCOUNTANTS, READERS, RECORD_KEEPERS, WORKERS
from delivery.stand_ins import decisions as stand_ins
from delivery.surveys import decisions as surveys
from delivery.templates import decisions as templates
from delivery.time_entries import decisions as time_entries
from delivery.timesheets import decisions as timesheets
from delivery.timesheets.events import TimesheetId
from delivery.timesheets.state import Timesheet
from delivery.tolerances import decisions as tolerances
from delivery.workloads import decisions as workloads
from delivery.workloads.state import Workload

ENGAGEMENT = engagement_decider(
    "delivery",
    Engagement,
    deal.capability,
    management.capability,
    estimates.capability,
    contract.capability,
    resources.capability,
    requirements.capability,
    planning.capability,
    kickoff.capability,
    time_entries.capability,
    expenses.capability,
    progress.capability,
    raid.capability,
    customer_inputs.capability,
    changes.capability,
    acceptance.capability,
    surveys.capability,
    closing.capability,
    importing.capability,
    answering=WORKERS,
    owing="engagement-manager",
    account_of=lambda state: state.deal.account,
    require_open=require_open,
)
"""Decider of engagements."""

PERSON = reference_decider(Record[PersonPublished], people.capability)
"""Decider of people."""

CALENDAR = reference_decider(Record[CalendarPublished], calendars.capability)
"""Decider of holiday calendars."""

LEAVE = reference_decider(Record[LeavePublished], leave.capability)
"""Decider of the leave of people."""

STAND_INS = reference_decider(Record[StandInsPublished], stand_ins.capability)
"""Decider of the stand-ins of people."""

TEMPLATE = reference_decider(Record[TemplatePublished], templates.capability)
"""Decider of templates."""

TOLERANCES = reference_decider(
    Record[TolerancesPublished],
    tolerances.capability,
    zone=lambda record, *when: company_zone(record.tolerances, *when),
)
"""Decider of the tolerances of companies."""

TIMESHEET: Decider[Timesheet] = Decider(
    department="delivery",
    kind="timesheet",
    initial=lambda subject: Timesheet(timesheet=subject),
    capabilities=(timesheets.capability,),
)
"""Decider of timesheets. No time zone is known for a person: a day may be recorded once it has
begun anywhere."""

EXPENSE: Decider[DecidedExpense] = Decider(
    department="delivery",
    kind="expense",
    initial=lambda subject: DecidedExpense(subject=subject),
    capabilities=(decided_expenses.capability,),
)
"""Decider of decided expenses."""

WORKLOAD: Decider[Workload] = Decider(
    department="delivery",
    kind="workload",
    initial=lambda subject: Workload(person=subject),
    capabilities=(workloads.capability,),
)
"""Decider of the allocations of a person over all engagements."""

SERVICE = Service(
    "delivery",
    "Delivery",
    description=(
        "The work of an engagement: estimates, plans, resources, time, progress, change control, "
        "acceptance and closing, each behind its gate; records of people, calendars, templates and"
        " tolerances."
    ),
    deciders=(WORKLOAD,),
    routes=(
        EngagementRoutes(
            ENGAGEMENT,
            seen_by=READERS,
            uploaded_by=WORKERS,
            private=Private(seen_by=ACCOUNTANTS, may_read=expenses.reads_receipt),
        ),
        ReferenceRoutes(
            PERSON,
            path="people",
            seen_by=COMPANY,
            listed=(
                "name",
                "email",
                "department",
                "grade",
                "may_sign",
                "manager",
                "cost_centre",
                "calendar",
                "weekly_hours",
                "joined",
                "left",
            ),
            subject=PersonId,
            erased_by=RECORD_KEEPERS,
        ),
        ReferenceRoutes(
            CALENDAR, path="calendars", seen_by=COMPANY, listed=("name", "country", "subdivision")
        ),
        ReferenceRoutes(
            LEAVE,
            path="leave",
            seen_by=COMPANY,
            listed=("person",),
            subject=PersonId,
            erased_by=RECORD_KEEPERS,
        ),
        ReferenceRoutes(
            STAND_INS,
            path="stand-ins",
            seen_by=COMPANY,
            listed=("person",),
            subject=PersonId,
            erased_by=RECORD_KEEPERS,
        ),
        CommandRoutes(
            TIMESHEET,
            path="timesheets",
            seen_by=READERS,
            subject=TimesheetId,
            require_reader=timesheets.require_reader,
            listed_for=timesheets.listed_for,
            related=Related("engagement", timesheets.engagements_asked, timesheets.coverage_view),
        ),
        CommandRoutes(
            EXPENSE,
            path="expenses",
            seen_by=(*READERS, *ACCOUNTANTS),
            subject=ExpenseId,
            listed_for=decided_expenses.listed_for,
        ),
        ReferenceRoutes(TEMPLATE, path="templates", seen_by=COMPANY, listed=("name",)),
        ReferenceRoutes(TOLERANCES, path="tolerances", seen_by=COMPANY, listed=("silence_days",)),
    ),
    reads=(
        AccountPublished,
        CalendarPublished,
        CompanyPublished,
        ContactPublished,
        LeavePublished,
        PersonPublished,
        StandInsPublished,
        TemplatePublished,
    ),
)


if __name__ == "__main__":
    run(SERVICE)
