from datetime import date

import pytest

from contracts.delivery import (
    ChangeApproved,
    ChangeAssessed,
    ChangeImplemented,
    ChangeRejected,
    ChangeRequested,
    PlanBaselined,
)
from contracts.finance import BudgetAmended, ChangePriced
from contracts.legal import AmendmentDrafted, AmendmentSigned
from contracts.values import RoleHours
from delivery.acceptance import AcceptDeliverable, SubmitDeliverable
from delivery.assignment import PutOnHold
from delivery.changes import (
    ApproveChange,
    AssessChange,
    ImplementChange,
    RejectChange,
    RequestChange,
)
from delivery.planning import BaselinePlan, DraftPlan
from delivery.views import engagement_view
from testkit.scenario import like
from tests.unit.delivery.life import (
    BASELINED,
    DRAFTED,
    FINISH,
    HASH,
    SOW_SIGNED,
    deliverable,
    eur,
    hours,
    released,
)

TODAY = date(2026, 4, 8)
REQUEST = RequestChange(change="CR-1", requested_by="cleo", description="A manual, too.")
REQUESTED = ChangeRequested(
    change="CR-1", requested_by="cleo", description="A manual, too.", requested_on=TODAY
)
ASSESS = AssessChange(
    change="CR-1",
    lines=(RoleHours(role="developer", hours=hours(20)),),
    days=5,
    risk="Little.",
    deliverables_added=(deliverable("manual"),),
    deliverables_descoped=("design",),
)
ASSESSED = ChangeAssessed.model_validate(dict(ASSESS))
PRICED = ChangePriced(change="CR-1", lines=(), price=eur(2_000))
APPROVED = ChangeApproved(change="CR-1", approved_by="cleo", approved_on=TODAY)
AMENDMENT_DRAFTED = AmendmentDrafted(
    amendment="A-1",
    change="CR-1",
    content_hash=HASH,
    price_delta=eur(2_000),
    finishes_on=FINISH,
    scope_delta="A manual for the design.",
    deliverables_added=ASSESS.deliverables_added,
    deliverables_descoped=ASSESS.deliverables_descoped,
)
AMENDMENT_SIGNED = AmendmentSigned.model_validate(
    AMENDMENT_DRAFTED.model_dump(exclude={"scope_delta"})
    | {"signatories": SOW_SIGNED.signatories, "signed_on": TODAY}
)
REBASELINED = PlanBaselined.model_validate(
    dict(BASELINED) | {"version": 2, "changes": ("CR-1",), "baselined_on": TODAY}
)
AMENDED = BudgetAmended(
    change="CR-1", amendment="A-1", price=eur(102_000), hours_delta=hours(20), billing_schedule=()
)
IMPLEMENT = ImplementChange(change="CR-1")

requested = released.published(REQUESTED)
assessed = requested.published(ASSESSED)
priced = assessed.consumed(PRICED, knowing=assessed.stream.position)
approved = priced.published(APPROVED)
signed = approved.consumed(AMENDMENT_DRAFTED, AMENDMENT_SIGNED)
rebaselined = signed.published(DRAFTED.model_copy(update={"version": 2}), REBASELINED)
ready = rebaselined.consumed(AMENDED)


def test_a_change_is_requested_assessed_priced_and_approved() -> None:
    asked = released.when(REQUEST).then(REQUESTED)
    known = asked.when(ASSESS).then(ASSESSED)
    valued = known.consumed(PRICED, knowing=known.stream.position)
    agreed = valued.when(ApproveChange(change="CR-1", approved_by="cleo")).then(APPROVED)
    agreed.on(date(2026, 4, 9)).when(
        ApproveChange(change="CR-1", approved_by="cleo")
    ).then_nothing()
    asked.when(REQUEST).then_nothing()
    known.when(ASSESS).then_nothing()


def test_a_change_id_is_used_once() -> None:
    other = REQUEST.model_copy(update={"description": "Something else."})
    requested.when(other).then_refused("already-recorded")
    unnamed = released.when(REQUEST.model_copy(update={"change": None})).then(
        like(ChangeRequested, requested_by="cleo")
    )
    assert next(iter(unnamed.state.changes)).startswith("CR-")
    for command in (ASSESS, IMPLEMENT):
        released.when(command).then_refused("change-unknown")


def test_a_change_assessed_again_is_priced_again() -> None:
    again = priced.after(ASSESS.model_copy(update={"days": 9}))
    approve = ApproveChange(change="CR-1", approved_by="cleo")
    again.when(approve).then_refused("change-not-approvable", missing=["change-not-priced"])
    # Finance had not processed the new assessment when it set this price.
    late = again.consumed(PRICED, knowing={"delivery": again.stream.position["delivery"] - 1})
    late.when(approve).then_refused("change-not-approvable", missing=["change-not-priced"])
    again.consumed(PRICED, knowing=again.stream.position).when(approve).then_accepted()


def test_a_change_is_approved_only_by_the_customer_and_with_a_price() -> None:
    approve = ApproveChange(change="CR-1", approved_by="cleo")
    requested.when(approve).then_refused(
        "change-not-approvable", missing=["change-not-assessed", "change-not-priced"]
    )
    own = ApproveChange(change="CR-1", approved_by="mara")
    priced.when(own).then_refused("person-not-customer")
    approved.when(ApproveChange(change="CR-1", approved_by="cy")).then_refused("already-recorded")


REJECT = RejectChange(change="CR-1", why="Too dear.")
REJECTED = ChangeRejected(change="CR-1", why="Too dear.", rejected_on=TODAY)


def test_a_change_is_either_approved_or_rejected() -> None:
    rejected = priced.when(REJECT).then(REJECTED)
    rejected.when(REJECT).then_nothing()
    rejected.when(ApproveChange(change="CR-1", approved_by="cleo")).then_refused("change-decided")
    rejected.when(IMPLEMENT).then_refused("change-decided")
    approved.when(ASSESS.model_copy(update={"days": 1})).then_refused("change-decided")


def test_an_approved_change_may_be_rejected_until_its_amendment_is_signed() -> None:
    given_up = approved.consumed(AMENDMENT_DRAFTED).when(REJECT).then(REJECTED)
    assert engagement_view(given_up.state).changes[0].status == "rejected"
    given_up.when(ApproveChange(change="CR-1", approved_by="cleo")).then_refused("change-decided")
    given_up.when(IMPLEMENT).then_refused("change-decided")
    signed.when(REJECT).then_refused("change-decided", saying="A-1 was signed on 2026-04-08")


def test_a_signed_amendment_takes_precedence_over_a_concurrent_rejection() -> None:
    crossed = approved.after(REJECT).consumed(AMENDMENT_SIGNED, AMENDED)
    assert engagement_view(crossed.state).changes[0].status == "approved"
    crossed.when(IMPLEMENT).then_refused("change-not-released", missing=["plan-not-rebaselined"])
    planned = crossed.after(DraftPlan(template="web", changes=("CR-1",)))
    planned.after(BaselinePlan(version=2)).when(IMPLEMENT).then_accepted()


def test_scope_that_a_change_cannot_alter() -> None:
    unknown = ASSESS.model_copy(update={"deliverables_descoped": ("ghost",)})
    requested.when(unknown).then_refused("deliverable-unknown")
    there = ASSESS.model_copy(update={"deliverables_added": (deliverable("portal"),)})
    requested.when(there).then_refused("deliverable-owed")
    done = requested.after(SubmitDeliverable(deliverable="design", content_hash=HASH)).after(
        AcceptDeliverable(deliverable="design", submission=1, accepted_by="cleo")
    )
    done.when(ASSESS).then_refused("deliverable-accepted")


def test_a_change_order_in_contract_plan_and_budget_is_implemented_once() -> None:
    done = ready.when(IMPLEMENT).then(ChangeImplemented(change="CR-1", implemented_on=TODAY))
    done.on(date(2026, 4, 9)).when(IMPLEMENT).then_nothing()
    other_day = ImplementChange(change="CR-1", implemented_on=date(2026, 4, 7))
    done.when(other_day).then_refused("already-recorded")


@pytest.mark.parametrize(
    ("scenario", "missing"),
    [
        (
            requested,
            [
                "change-not-assessed",
                "change-not-priced",
                "change-not-approved",
                "amendment-not-signed",
                "plan-not-rebaselined",
                "budget-not-amended",
            ],
        ),
        (
            approved,
            ["amendment-not-signed", "plan-not-rebaselined", "budget-not-amended"],
        ),
        (signed, ["plan-not-rebaselined", "budget-not-amended"]),
        (rebaselined, ["budget-not-amended"]),
    ],
    ids=["requested", "approved", "signed", "rebaselined"],
)
def test_a_change_is_not_implemented_before_it_is_agreed(scenario, missing: list[str]) -> None:
    scenario.when(IMPLEMENT).then_refused("change-not-released", missing=missing)


def test_a_change_cannot_be_implemented_on_a_day_before_its_amendment() -> None:
    before = ImplementChange(change="CR-1", implemented_on=date(2026, 4, 7))
    ready.when(before).then_refused(
        "change-not-released", missing=["amendment-not-signed"], saying="signed on 2026-04-08"
    )


def test_changes_are_not_implemented_on_hold() -> None:
    ready.after(PutOnHold(reason="Freeze.")).when(IMPLEMENT).then_refused("engagement-on-hold")


def test_an_amendment_changes_what_is_owed() -> None:
    assert sorted(approved.state.owed) == ["design", "portal"]
    assert sorted(signed.state.owed) == ["manual", "portal"]
    back = signed.consumed(
        AMENDMENT_SIGNED.model_copy(
            update={
                "change": "CR-2",
                "deliverables_added": (deliverable("design"),),
                "deliverables_descoped": ("manual",),
            }
        )
    )
    assert sorted(back.state.owed) == ["design", "portal"]
