"""State which time waits for its approval, and what the time waits for that nothing covers.

The conditions are those for which `approve-time` refuses entries (gates 3, 4 and 6).
"""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal

from chassis.domain.commands import Missing
from chassis.domain.work_items import ItemKind, WorkItem
from contracts.channels import Department
from contracts.counting import counted, of_number
from contracts.delivery import TimeEntry
from contracts.roles import Role
from delivery.conditions import Conditions, condition, of_contract, owed
from delivery.coverage import waiting_with_missing
from delivery.engagement import Engagement
from delivery.policies import approver_of, few_of, few_reasons
from delivery.quantities import ZERO
from delivery.time_entries.state import WaitingWeek, sheet_of

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


_APPROVAL = "approve-time"
_Ends = tuple[Department, Role, str]
"""The command that ends a condition: its department, a role that may give it, and its name."""
_SIGN: _Ends = ("legal", "contract-manager", "record-signature")
_DRAFT: _Ends = ("delivery", "engagement-manager", "draft-plan")
_BASELINE: _Ends = ("delivery", "engagement-manager", "baseline-plan")
_AS_COST: _Ends = ("delivery", "pmo-director", "approve-time-as-cost")

CONDITIONS: Conditions = {
    **of_contract("time"),
    ("rates-missing", "sales"): condition(
        "rates-missing",
        "sales",
        "account-executive",
        "request-change",
        command_of="delivery",
        blocks=_APPROVAL,
    ),
    ("line-unknown", "delivery"): condition("line-unknown", *_DRAFT, blocks=_APPROVAL),
    ("line-not-named", "delivery"): condition("line-not-named", *_DRAFT, blocks=_APPROVAL),
    ("task-unknown", "delivery"): condition("task-unknown", *_DRAFT, blocks=_APPROVAL),
    ("plan-not-baselined", "delivery"): condition(
        "plan-not-baselined", *_BASELINE, blocks=_APPROVAL
    ),
    ("brd-not-signed-off", "legal"): condition("brd-not-signed-off", *_SIGN, blocks=_APPROVAL),
    ("brd-not-signed-off", "delivery"): condition(
        "brd-not-signed-off", "delivery", "engagement-manager", "sign-off-brd", blocks=_APPROVAL
    ),
    ("date-before-sign-off", "delivery"): condition(
        "date-before-sign-off", *_AS_COST, blocks=_APPROVAL
    ),
    ("date-before-baseline", "delivery"): condition(
        "date-before-baseline", *_AS_COST, blocks=_APPROVAL
    ),
    ("change-rejected", "delivery"): condition("change-rejected", *_AS_COST, blocks=_APPROVAL),
    ("change-not-assessed", "delivery"): condition(
        "change-not-assessed", "delivery", "engagement-manager", "assess-change", blocks=_APPROVAL
    ),
    ("change-not-priced", "finance"): condition(
        "change-not-priced", "finance", "project-accountant", "catch-up", blocks=_APPROVAL
    ),
    ("change-not-approved", "delivery"): condition(
        "change-not-approved", "delivery", "engagement-manager", "approve-change", blocks=_APPROVAL
    ),
    ("amendment-not-signed", "legal"): condition(
        "amendment-not-signed", "legal", "contract-manager", "sign-amendment", blocks=_APPROVAL
    ),
    ("plan-not-rebaselined", "delivery"): condition(
        "plan-not-rebaselined", *_BASELINE, blocks=_APPROVAL
    ),
    ("budget-not-amended", "finance"): condition(
        "budget-not-amended", "finance", "project-accountant", "catch-up", blocks=_APPROVAL
    ),
}
"""Kinds of the conditions for time; gates 4 and 6 have further ones than gate 3."""
_DRAFTED_FIRST: Mapping[ItemKind, ItemKind] = {
    CONDITIONS[each.code, each.department]: each
    for each in (
        condition("plan-not-baselined", *_DRAFT, blocks=_APPROVAL),
        condition("plan-not-rebaselined", *_DRAFT, blocks=_APPROVAL),
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


def items(
    state: Engagement, of_person: Callable[[str], bool] = lambda _: True
) -> Iterator[WorkItem]:
    """Yield what is to be decided of each week, and one item for each condition of gates.

    A week that is longer than the person's hours is asked about until it is decided: it may be
    approved where that is agreed. `of_person` returns whether the time of a person is wanted.
    """
    wanted = {name: week for name, week in state.time.waiting.items() if of_person(week.person)}
    weeks = {each.entry: week for week in wanted.values() for each in week.entries}
    covered: dict[str, list[TimeEntry]] = {}
    uncovered: dict[ItemKind, list[tuple[TimeEntry, Missing]]] = {}
    for entry, conditions in waiting_with_missing(state):
        if entry.entry not in weeks:
            continue
        if not conditions:
            covered.setdefault(sheet_of(weeks[entry.entry]), []).append(entry)
        for kind, each in owed(CONDITIONS, conditions, over=state.is_over).items():
            drafted = kind if state.planning.has_new_draft else _DRAFTED_FIRST.get(kind, kind)
            uncovered.setdefault(drafted, []).append((entry, each))
    for name, week in wanted.items():
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
    people = few_of(weeks[entry.entry].person for entry, _ in found)
    why = few_reasons(each for _, each in found)
    return kind(
        "time",
        f"{counted(hours, 'hour')} of {people} cannot be billed: {why}",
        since=min(weeks[entry.entry].submitted_on for entry, _ in found),
        person=state.manager if kind.role == "engagement-manager" else None,
        to_person=state.manager,
    )
