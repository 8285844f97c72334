"""State what a proposal waits for: its draft, the conditions of gate 1, the customer's decision."""

from collections.abc import Iterator, Mapping

from chassis.domain.work_items import ItemKind, WorkItem
from contracts.channels import Department
from contracts.refusals import RefusalCode
from contracts.roles import Role
from sales.engagement import Engagement
from sales.policies import is_open_sale
from sales.proposals.readiness import waits_for

DRAFT = ItemKind(
    "proposal-not-drafted",
    department="sales",
    role="account-executive",
    command="draft-proposal",
    owed_to="customer",
)
SUBMIT = ItemKind(
    "proposal-not-submitted",
    department="sales",
    role="account-executive",
    command="submit-proposal",
    owed_to="customer",
    blocks=("win-deal",),
)
DECIDE = ItemKind(
    "deal-not-decided",
    department="sales",
    role="account-executive",
    command="win-deal",
    owed_to="sales",
    by_customer=True,
)


def _condition(
    code: RefusalCode,
    department: Department,
    role: Role,
    command: str,
    *,
    stream: str | None = None,
) -> ItemKind:
    return ItemKind(
        code,
        department=department,
        role=role,
        command=command,
        owed_to="sales",
        blocks=("submit-proposal",),
        stream=stream,
    )


_Ends = tuple[Department, Role, str]
_REVISE: _Ends = ("sales", "account-executive", "revise-proposal")
_EXCEPT: _Ends = ("sales", "sales-manager", "approve-exception")

CONDITIONS: Mapping[tuple[RefusalCode, Department | None], ItemKind] = {
    (each.code, each.department): each
    for each in (
        _condition("project-management-missing", *_REVISE),
        _condition("rates-missing", *_REVISE),
        _condition("proposal-below-floor", *_EXCEPT),
        _condition("proposal-repriced", *_EXCEPT),
        _condition("proposal-hours-differ", *_EXCEPT),
        _condition("proposal-purchases-differ", *_EXCEPT),
        _condition("proposal-not-reviewed", "finance", "project-accountant", "catch-up"),
        _condition(
            "proposal-floor-unknown",
            "finance",
            "controller",
            "publish-cost-rates",
            stream="cost-rates",
        ),
    )
}
"""Kinds of the conditions of gate 1, by code and by the department that owes them.

The manager, the endorsement and the price are stated by Delivery and Finance.
"""
KINDS = (DRAFT, SUBMIT, DECIDE, *CONDITIONS.values())


def items(state: Engagement) -> Iterator[WorkItem]:
    """Yield what the current proposal waits for or, without one, its draft."""
    proposals, owner = state.proposals, state.opportunity.owner
    if state.opportunity.opened is None or not is_open_sale(state):
        return
    current = proposals.current
    if current is None:
        newest = max(proposals.estimates, default=0)
        priced = proposals.priced_on.get(newest)
        if priced and proposals.estimates[newest].endorsed_by:
            sentence = f"estimate {newest} is endorsed and priced, and no proposal is drafted"
            yield DRAFT("proposal", sentence, since=priced, person=owner)
        return
    name = f"proposal-{current.version}"
    if current.submitted:
        drafted = current.drafted
        yield DECIDE(
            name,
            f"the customer has not decided on version {current.version}",
            since=current.submitted.submitted_on,
            due=drafted.valid_until,
            to_person=owner,
        )
        return
    missing, since = waits_for(state, current), proposals.drafted_on.get(current.version)
    for each in {(each.code, each.owed_by): each for each in missing}.values():
        kind = CONDITIONS.get((each.code, each.owed_by))
        if kind is not None:
            person = owner if kind.role == "account-executive" else None
            author = (current.author,) if kind.command == "approve-exception" else ()
            yield kind(
                name, each.sentence, since=since, person=person, to_person=owner, not_by=author
            )
    if not missing:
        sentence = f"version {current.version} may be submitted"
        yield SUBMIT(name, sentence, since=since, person=owner)
