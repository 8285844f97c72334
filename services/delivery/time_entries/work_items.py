"""State which time waits for its approval, and what the time waits for that nothing covers.

The conditions are those for which `approve-time` refuses entries (gates 3, 4 and 6).
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from chassis.domain.commands import Missing
from chassis.domain.work_items import ItemKind, WorkItem
from contracts.channels import Department
from contracts.counting import counted, of_number
from contracts.delivery import TimeEntry
from contracts.refusals import RefusalCode
from contracts.roles import Role
from delivery.coverage import with_missing
from delivery.engagement import Engagement
from delivery.policies import approver_of
from delivery.quantities import ZERO
from delivery.time_entries.state import WaitingWeek, sheet_of

_MOST_NAMED = 3
"""Number of people that a sentence names."""

APPROVE = ItemKind(
    "time-waiting",
    department="delivery",
    role="engagement-manager",
    command="approve-time",
    owed_to="delivery",
    blocks=("close-engagement",),
)
APPROVE_OF_MANAGER = ItemKind(
    "time-waiting",
    department="delivery",
    role="pmo-director",
    command="approve-time",
    owed_to="delivery",
    blocks=("close-engagement",),
)
"""Time that the engagement manager worked or submitted, and cannot approve."""
TOO_LONG = ItemKind(
    "week-too-long",
    department="delivery",
    role="engagement-manager",
    command="reject-time",
    owed_to="delivery",
)
TOO_LONG_OF_MANAGER = ItemKind(
    "week-too-long",
    department="delivery",
    role="pmo-director",
    command="reject-time",
    owed_to="delivery",
)


def _condition(
    code: RefusalCode,
    department: Department,
    role: Role,
    command: str,
    *,
    command_of: Department | None = None,
    stream: str | None = None,
) -> ItemKind:
    return ItemKind(
        code,
        department=department,
        role=role,
        command=command,
        owed_to="delivery",
        blocks=("approve-time",),
        command_of=command_of,
        stream=stream,
    )


_Ends = tuple[Department, Role, str]
"""The command that ends a condition: its department, a role that may give it, and its name."""
_AS_COST: _Ends = ("delivery", "pmo-director", "approve-time-as-cost")
_SIGN: _Ends = ("legal", "contract-manager", "record-signature")
_AUTHORISE: _Ends = ("legal", "counsel", "authorise-early-start")
_DRAFT: _Ends = ("delivery", "engagement-manager", "draft-plan")
_BASELINE: _Ends = ("delivery", "engagement-manager", "baseline-plan")

CONDITIONS: Mapping[tuple[RefusalCode, Department | None], ItemKind] = {
    ("engagement-not-imported", "legal"): _condition(
        "engagement-not-imported", "legal", "counsel", "import-engagement"
    ),
    ("engagement-not-imported", "delivery"): _condition(
        "engagement-not-imported", "delivery", "pmo-director", "import-engagement"
    ),
    ("engagement-not-imported", "finance"): _condition(
        "engagement-not-imported", "finance", "controller", "import-engagement"
    ),
    ("time-taken-over", "delivery"): _condition(
        "time-taken-over", "delivery", "engagement-manager", "reject-time"
    ),
    ("engagement-over", "legal"): _condition("engagement-over", *_AS_COST),
    ("engagement-on-hold", "delivery"): _condition(
        "engagement-on-hold", "delivery", "engagement-manager", "resume"
    ),
    ("sow-not-signed", "legal"): _condition("sow-not-signed", *_SIGN),
    ("early-start-expired", "legal"): _condition("early-start-expired", *_AUTHORISE),
    ("early-start-cap-spent", "legal"): _condition("early-start-cap-spent", *_AUTHORISE),
    ("rates-missing", "finance"): _condition(
        "rates-missing", "finance", "controller", "publish-rate-card", stream="rate-card"
    ),
    ("rates-missing", "sales"): _condition(
        "rates-missing", "sales", "account-executive", "request-change", command_of="delivery"
    ),
    ("line-unknown", "delivery"): _condition("line-unknown", *_DRAFT),
    ("line-not-named", "delivery"): _condition("line-not-named", *_DRAFT),
    ("task-unknown", "delivery"): _condition("task-unknown", *_DRAFT),
    ("plan-not-baselined", "delivery"): _condition("plan-not-baselined", *_BASELINE),
    ("brd-not-signed-off", "legal"): _condition("brd-not-signed-off", *_SIGN),
    ("brd-not-signed-off", "delivery"): _condition(
        "brd-not-signed-off", "delivery", "engagement-manager", "sign-off-brd"
    ),
    ("change-not-assessed", "delivery"): _condition(
        "change-not-assessed", "delivery", "engagement-manager", "assess-change"
    ),
    ("change-not-priced", "finance"): _condition(
        "change-not-priced", "finance", "project-accountant", "catch-up"
    ),
    ("change-not-approved", "delivery"): _condition(
        "change-not-approved", "delivery", "engagement-manager", "approve-change"
    ),
    ("amendment-not-signed", "legal"): _condition(
        "amendment-not-signed", "legal", "contract-manager", "sign-amendment"
    ),
    ("plan-not-rebaselined", "delivery"): _condition("plan-not-rebaselined", *_BASELINE),
    ("budget-not-amended", "finance"): _condition(
        "budget-not-amended", "finance", "project-accountant", "catch-up"
    ),
}
"""Kinds of the conditions of `delivery.coverage`, by code and by the department that owes them.

Where the day of the work is the reason, nothing may end it: the PMO director approves the time as
cost then, or it is rejected.
"""
_DRAFTED_FIRST: Mapping[RefusalCode, ItemKind] = {
    each.code: each
    for each in (
        _condition("plan-not-baselined", *_DRAFT),
        _condition("plan-not-rebaselined", *_DRAFT),
    )
}
"""Kinds of the conditions that a baseline ends, while there is no newer draft to approve."""
KINDS = (
    APPROVE,
    APPROVE_OF_MANAGER,
    TOO_LONG,
    TOO_LONG_OF_MANAGER,
    *CONDITIONS.values(),
    *_DRAFTED_FIRST.values(),
)


def items(state: Engagement) -> Iterator[WorkItem]:
    """Yield what is to be decided of each week, and one item for each condition of gates.

    A week that is longer than the person's hours is asked about until it is decided: it may be
    approved where that is agreed.
    """
    weeks = {each.entry: week for week in state.time.waiting.values() for each in week.entries}
    every = (each for week in state.time.waiting.values() for each in week.entries)
    covered: dict[str, list[TimeEntry]] = {}
    uncovered: dict[ItemKind, list[tuple[TimeEntry, Missing]]] = {}
    for entry, conditions in with_missing(state, every):
        if not conditions:
            covered.setdefault(sheet_of(weeks[entry.entry]), []).append(entry)
        for each in {(each.code, each.owed_by): each for each in conditions}.values():
            kind = CONDITIONS[each.code, each.owed_by]
            if not state.planning.has_new_draft:
                kind = _DRAFTED_FIRST.get(each.code, kind)
            uncovered.setdefault(kind, []).append((entry, each))
    for name, week in state.time.waiting.items():
        if name in covered:
            yield _to_approve(state, name, week, covered[name])
        if week.beyond_weekly_hours:
            yield _too_long(state, name, week, week.beyond_weekly_hours)
    for kind, found in uncovered.items():
        yield _not_covered(state, kind, found, weeks)


def _to_approve(
    state: Engagement, name: str, week: WaitingWeek, entries: list[TimeEntry]
) -> WorkItem:
    hours = sum((each.hours for each in entries), ZERO)
    sentence = (
        f"{counted(hours, 'hour')} of {week.person} in the week of {week.week}"
        f" {of_number(hours, 'waits', 'wait')} for approval"
    )
    approver = approver_of(state, {week.person, *week.submitted_by})
    kind = APPROVE if approver else APPROVE_OF_MANAGER
    return kind(name, sentence, since=week.submitted_on, person=approver, to_person=week.person)


def _too_long(state: Engagement, name: str, week: WaitingWeek, beyond: Decimal) -> WorkItem:
    sentence = (
        f"the week of {week.week} of {week.person} is {counted(beyond, 'hour')} longer, over all"
        " engagements, than their record says: reject it unless that is agreed"
    )
    approver = approver_of(state, {week.person, *week.submitted_by})
    kind = TOO_LONG if approver else TOO_LONG_OF_MANAGER
    return kind(name, sentence, since=week.submitted_on, person=approver, to_person=week.person)


def _not_covered(
    state: Engagement,
    kind: ItemKind,
    found: list[tuple[TimeEntry, Missing]],
    weeks: Mapping[str, WaitingWeek],
) -> WorkItem:
    hours = sum((entry.hours for entry, _ in found), ZERO)
    people = [*dict.fromkeys(weeks[entry.entry].person for entry, _ in found)]
    named = ", ".join(people[:_MOST_NAMED]) + (", ..." if len(people) > _MOST_NAMED else "")
    return kind(
        "time",
        f"{counted(hours, 'hour')} of {named} cannot be billed: {found[0][1].sentence}",
        since=min(weeks[entry.entry].submitted_on for entry, _ in found),
        person=state.manager if kind.role == "engagement-manager" else None,
        to_person=state.manager,
    )
