from datetime import date

import pytest

from contracts.delivery import (
    ChangeAssessed,
    ChangeImplemented,
    ChangeRejected,
    ChangeRequested,
)
from contracts.lines import (
    LineChange,
    LineRate,
    LineScopeChange,
    NewLine,
    RoleHoursDelta,
)
from delivery.acceptance.decisions import AcceptDeliverable, SubmitDeliverable
from delivery.changes.decisions import (
    ApproveChange,
    AssessChange,
    ImplementChange,
    RejectChange,
    RequestChange,
)
from delivery.engagement import Engagement
from delivery.management.decisions import PutOnHold
from delivery.planning.decisions import BaselinePlan, DraftPlan
from testkit.scenario import Scenario, like
from tests.amounts import (
    eur,
    hours,
    per_hour,
)
from tests.unit.delivery.builders import (
    AMENDMENT_DRAFTED,
    AMENDMENT_SIGNED,
    BUDGET_AMENDED,
    CHANGE_APPROVED,
    CHANGE_ASSESSED,
    CHANGE_PRICED,
    CHANGE_REQUESTED,
    HASH,
    TODAY,
    change_approved,
    change_priced,
    change_ready,
    change_rebaselined,
    change_requested,
    change_signed,
    deliverable,
    released,
)

REQUEST = RequestChange(change="CR-1", requested_by="cleo", description="A manual, too.")
ASSESS = AssessChange(**dict(CHANGE_ASSESSED))


def assess(*changes: LineScopeChange) -> AssessChange:
    return ASSESS.model_copy(update={"changes": changes})


APPROVE = ApproveChange(change="CR-1", approved_by="cleo")
IMPLEMENT = ImplementChange(change="CR-1")


def owed(scenario: Scenario[Engagement]) -> list[str]:
    return sorted(each.deliverable for each in scenario.view["deliverables"])


def test_a_change_is_requested_assessed_priced_and_approved() -> None:
    asked = released().when(REQUEST).then(CHANGE_REQUESTED)
    known = asked.when(ASSESS).then(CHANGE_ASSESSED)
    valued = known.consumed(CHANGE_PRICED, knowing=known.stream.position)
    agreed = valued.when(APPROVE).then(CHANGE_APPROVED)
    agreed.on(date(2026, 4, 9)).when(APPROVE).then_nothing()
    asked.when(REQUEST).then_nothing()
    known.when(ASSESS).then_nothing()


def test_a_change_id_is_used_once() -> None:
    other = REQUEST.model_copy(update={"description": "Something else."})
    change_requested().when(other).then_refused("already-recorded")
    unnamed = (
        released()
        .when(REQUEST.model_copy(update={"change": None}))
        .then(like(ChangeRequested, requested_by="cleo"))
    )
    assert unnamed.view["changes"][0].change.startswith("CR-")
    for command in (ASSESS, IMPLEMENT):
        released().when(command).then_refused("change-unknown")


def test_a_change_assessed_again_is_priced_again() -> None:
    again = change_priced().after(ASSESS.model_copy(update={"days": 9}))
    again.when(APPROVE).then_refused("change-not-approvable", missing=["change-not-priced"])
    # Finance had not processed the new assessment when it set this price.
    late = again.consumed(
        CHANGE_PRICED, knowing={"delivery": again.stream.position["delivery"] - 1}
    )
    late.when(APPROVE).then_refused("change-not-approvable", missing=["change-not-priced"])
    again.consumed(CHANGE_PRICED, knowing=again.stream.position).when(APPROVE).then_accepted()


def test_a_change_is_approved_only_by_the_customer_and_with_a_price() -> None:
    change_requested().when(APPROVE).then_refused(
        "change-not-approvable", missing=["change-not-assessed", "change-not-priced"]
    )
    own = ApproveChange(change="CR-1", approved_by="mara")
    change_priced().when(own).then_refused("contact-unknown", fields=["approved_by"])
    reader = ApproveChange(change="CR-1", approved_by="rea")
    change_priced().when(reader).then_refused("contact-not-authorised", fields=["approved_by"])
    change_priced().when(ApproveChange(change="CR-1", approved_by="cy")).then_accepted()
    change_approved().when(ApproveChange(change="CR-1", approved_by="cy")).then_refused(
        "already-recorded"
    )


REJECT = RejectChange(change="CR-1", why="Too dear.")
REJECTED = ChangeRejected(change="CR-1", why="Too dear.", rejected_on=TODAY)


def test_a_change_of_rates_alone_is_assessed_in_the_currency_of_the_contract() -> None:
    def of(currency: str) -> AssessChange:
        rate = LineRate(role="architect", rate=per_hour(110, currency), from_day=TODAY)
        change = LineScopeChange(line="desk", rates=(rate,))
        return ASSESS.model_copy(update={"changes": (change,)})

    change_requested().when(of("EUR")).then(like(ChangeAssessed))
    change_requested().when(of("USD")).then_refused("currency-differs", saying="changes")


def test_a_change_that_is_over_is_not_requested_or_assessed_again() -> None:
    change_priced().when(REQUEST).then_nothing()
    rejected = change_priced().after(REJECT)
    rejected.when(REQUEST).then_refused("change-decided", saying=f"rejected on {TODAY}: Too dear.")
    rejected.when(ASSESS).then_refused("change-decided", saying=str(TODAY))
    rejected.when(REQUEST.model_copy(update={"change": "CR-2"})).then(like(ChangeRequested))
    done = released().published(
        CHANGE_REQUESTED, ChangeImplemented(change="CR-1", implemented_on=TODAY)
    )
    done.when(REQUEST).then_refused("change-decided", saying=f"implemented on {TODAY}")


def test_a_change_is_either_approved_or_rejected() -> None:
    rejected = change_priced().when(REJECT).then(REJECTED)
    rejected.when(REJECT).then_nothing()
    rejected.when(APPROVE).then_refused("change-decided")
    rejected.when(IMPLEMENT).then_refused("change-decided")
    change_approved().when(ASSESS.model_copy(update={"days": 1})).then_refused("change-decided")


def test_an_approved_change_may_be_rejected_until_its_amendment_is_signed() -> None:
    given_up = change_approved().consumed(AMENDMENT_DRAFTED).when(REJECT).then(REJECTED)
    assert given_up.view["changes"][0].status == "rejected"
    given_up.when(APPROVE).then_refused("change-decided")
    given_up.when(IMPLEMENT).then_refused("change-decided")
    change_signed().when(REJECT).then_refused(
        "change-decided", saying="A-1 was signed on 2026-04-08"
    )


def test_a_signed_amendment_takes_precedence_over_a_concurrent_rejection() -> None:
    crossed = change_approved().after(REJECT).consumed(AMENDMENT_SIGNED, BUDGET_AMENDED)
    assert crossed.view["changes"][0].status == "approved"
    crossed.when(IMPLEMENT).then_refused("change-not-released", missing=["plan-not-rebaselined"])
    planned = crossed.after(DraftPlan(template="web", changes=("CR-1",)))
    planned.after(BaselinePlan(version=2)).when(IMPLEMENT).then_accepted()


def test_scope_that_a_change_cannot_alter() -> None:
    unknown = assess(LineScopeChange(line="desk", deliverables_removed=("ghost",)))
    change_requested().when(unknown).then_refused("deliverable-unknown")
    elsewhere = assess(LineScopeChange(line="managing", deliverables_removed=("design",)))
    change_requested().when(elsewhere).then_refused(
        "deliverable-unknown", saying="design belongs to line desk, not to managing"
    )
    there = assess(LineScopeChange(line="desk", deliverables_added=(deliverable("portal"),)))
    change_requested().when(there).then_refused("deliverable-owed")
    done = (
        change_requested()
        .after(SubmitDeliverable(deliverable="design", content_hash=HASH))
        .after(AcceptDeliverable(deliverable="design", submission=1, accepted_by="cleo"))
    )
    done.when(ASSESS).then_refused("deliverable-accepted")


def of_line(line: str, *, new: NewLine | None = None, **hours_of: int) -> LineScopeChange:
    """Return a change of a line by hours of roles."""
    changed = tuple(
        RoleHoursDelta(role=role, hours=hours(number)) for role, number in hours_of.items()
    )
    return LineScopeChange(line=line, hours=changed, new=new)


def test_hours_are_taken_from_lines_that_have_them() -> None:
    change_requested().when(assess(of_line("desk", developer=-220))).then_accepted()
    change_requested().when(assess(of_line("desk", developer=-221))).then_refused(
        "hours-below-zero", saying="line desk has 1 hour of developer too few"
    )
    change_requested().when(assess(of_line("desk", writer=-1))).then_refused("hours-below-zero")
    # The signed change added 20 hours of a developer.
    again = REQUEST.model_copy(update={"change": "CR-2"})
    cut = assess(of_line("desk", developer=-240)).model_copy(update={"change": "CR-2"})
    change_signed().after(again).when(cut).then_accepted()


def test_a_change_names_lines_of_the_contract_or_new_ones() -> None:
    change_requested().when(assess(of_line("ghost", developer=1))).then_refused(
        "line-unknown", saying="no line ghost"
    )
    support = NewLine(title="Support", pricing="time-and-materials")
    change_requested().when(assess(of_line("support", new=support, developer=1))).then_accepted()
    change_requested().when(assess(of_line("support", new=support, developer=-1))).then_refused(
        "hours-below-zero"
    )
    change_requested().when(assess(of_line("desk", new=support, developer=1))).then_refused(
        "id-repeated", saying="a line desk already"
    )


def test_a_change_order_in_contract_plan_and_budget_is_implemented_once() -> None:
    done = (
        change_ready().when(IMPLEMENT).then(ChangeImplemented(change="CR-1", implemented_on=TODAY))
    )
    done.on(date(2026, 4, 9)).when(IMPLEMENT).then_nothing()
    other_day = ImplementChange(change="CR-1", implemented_on=date(2026, 4, 7))
    done.when(other_day).then_refused("already-recorded")


@pytest.mark.parametrize(
    ("scenario", "missing"),
    [
        (
            change_requested,
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
            change_approved,
            ["amendment-not-signed", "plan-not-rebaselined", "budget-not-amended"],
        ),
        (change_signed, ["plan-not-rebaselined", "budget-not-amended"]),
        (change_rebaselined, ["budget-not-amended"]),
    ],
    ids=["requested", "approved", "signed", "rebaselined"],
)
def test_a_change_is_not_implemented_before_it_is_agreed(scenario, missing: list[str]) -> None:
    scenario().when(IMPLEMENT).then_refused("change-not-released", missing=missing)


def test_a_change_cannot_be_implemented_on_a_day_before_its_amendment() -> None:
    before = ImplementChange(change="CR-1", implemented_on=date(2026, 4, 7))
    change_ready().when(before).then_refused(
        "change-not-released", missing=["date-before-amendment"], saying="signed on 2026-04-08"
    )


def test_changes_are_not_implemented_on_hold() -> None:
    change_ready().after(PutOnHold(reason="Freeze.")).when(IMPLEMENT).then_refused(
        "engagement-on-hold"
    )


def test_an_amendment_changes_what_is_owed() -> None:
    assert owed(change_approved()) == ["design", "portal"]
    assert owed(change_signed()) == ["manual", "portal"]
    back = change_signed().consumed(
        AMENDMENT_SIGNED.model_copy(
            update={
                "change": "CR-2",
                "changes": (
                    LineChange(
                        line="desk",
                        price_delta=eur(0),
                        deliverables_added=(deliverable("design"),),
                        deliverables_removed=("manual",),
                    ),
                ),
            }
        )
    )
    assert owed(back) == ["design", "portal"]


def test_a_change_is_requested_by_a_person_on_record() -> None:
    request = RequestChange(requested_by="zzz", description="More.")
    released().when(request).then_refused("person-unknown", saying="requested_by")
    released().when(request.model_copy(update={"requested_by": "cleo"})).then_accepted()
