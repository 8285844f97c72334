from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from chassis.domain.commands import Command
from contracts.delivery import (
    ActionRaised,
    ActionUpdated,
    AssumptionRaised,
    AssumptionUpdated,
    DecisionRecorded,
    EngagementClosed,
    IssueRaised,
    IssueUpdated,
    RaidItemClosed,
    RaidItemReopened,
    RaidItemWithdrawn,
    RiskRaised,
    RiskUpdated,
)
from contracts.event import Event
from contracts.refusals import RefusalCode
from delivery.raid.decisions import (
    CloseRaidItem,
    RaiseAction,
    RaiseAssumption,
    RaiseIssue,
    RaiseRisk,
    RecordDecision,
    ReopenRaidItem,
    UpdateAction,
    UpdateAssumption,
    UpdateIssue,
    UpdateRisk,
    WithdrawRaidItem,
)
from testkit.scenario import like
from tests.amounts import hours
from tests.unit.delivery.builders import TERMINATED, TODAY, opened, released

RISK = RaiseRisk(
    item="R-1",
    title="Data is late",
    probability=hours(30),
    impact="high",
    owner="mara",
    response="Ask weekly.",
    due_on=date(2026, 4, 20),
)
ISSUE = RaiseIssue(item="I-1", title="Server is down", severity="medium", owner="dev", due_on=TODAY)
ACTION = RaiseAction(item="A-1", title="Order a server", owner="dev", due_on=TODAY)
ASSUMPTION = RaiseAssumption(
    item="AS-1", title="Data is clean", owner="mara", check_on=date(2026, 4, 20)
)
DECISION = RecordDecision(item="D-1", title="Use Kafka", rationale="Events in order.")


def test_risks_and_issues_are_raised_and_closed() -> None:
    raised = released().when(RISK).then(RiskRaised.model_validate(dict(RISK)))
    both = raised.when(ISSUE).then(IssueRaised.model_validate(dict(ISSUE)))
    assert [issue.item for issue in both.view["raid"].open_issues] == ["I-1"]
    close = CloseRaidItem(item="I-1", resolution="Restarted.")
    closed = both.when(close).then(
        RaidItemClosed(item="I-1", resolution="Restarted.", closed_on=TODAY)
    )
    assert not closed.view["raid"].open_issues
    assert [risk.item for risk in closed.view["raid"].open_risks] == ["R-1"]
    closed.when(close).then_nothing()
    other = close.model_copy(update={"resolution": "Replaced."})
    closed.when(other).then_refused("already-recorded")


def test_an_item_id_is_used_once() -> None:
    raised = released().after(RISK)
    raised.when(RISK).then_nothing()
    raised.when(RISK.model_copy(update={"impact": "low"})).then_refused("already-recorded")
    raised.when(ISSUE.model_copy(update={"item": "R-1"})).then_refused("id-repeated")
    unnamed = released().when(RISK.model_copy(update={"item": None})).then(like(RiskRaised))
    assert unnamed.view["raid"].open_risks[0].item.startswith("R-")


def test_a_decision_is_made_by_the_caller_by_default_and_does_not_close() -> None:
    recorded = (
        released()
        .when(DECISION, by="mara")
        .then(
            DecisionRecorded(
                item="D-1",
                title="Use Kafka",
                rationale="Events in order.",
                decided_by="mara",
                decided_on=TODAY,
            )
        )
    )
    recorded.when(DECISION, by="mara").then_nothing()
    recorded.when(DECISION, by="milo").then_refused("already-recorded")
    recorded.when(CloseRaidItem(item="D-1", resolution="Done.")).then_refused(
        "raid-item-not-closable"
    )


def test_an_unknown_item_cannot_be_closed() -> None:
    opened().when(CloseRaidItem(item="I-9", resolution="?")).then_refused("raid-item-unknown")


def test_after_a_termination_items_close_and_none_are_raised() -> None:
    over = released().after(ISSUE).consumed(TERMINATED)
    over.when(CloseRaidItem(item="I-1", resolution="Moot.")).then_accepted()
    over.when(RISK).then_refused("engagement-over")


Raise = RaiseRisk | RaiseIssue | RaiseAction | RaiseAssumption

KINDS: dict[str, tuple[Raise, type[Event], Command, type[Event]]] = {
    "risk": (
        RISK,
        RiskRaised,
        UpdateRisk(**{**dict(RISK), "item": "R-1", "impact": "low", "why": "It came."}),
        RiskUpdated,
    ),
    "issue": (
        ISSUE,
        IssueRaised,
        UpdateIssue(**{**dict(ISSUE), "item": "I-1", "severity": "low", "why": "A spare one."}),
        IssueUpdated,
    ),
    "action": (
        ACTION,
        ActionRaised,
        UpdateAction(**{**dict(ACTION), "item": "A-1", "owner": "mara", "why": "Dev is away."}),
        ActionUpdated,
    ),
    "assumption": (
        ASSUMPTION,
        AssumptionRaised,
        UpdateAssumption(
            **{**dict(ASSUMPTION), "item": "AS-1", "validity": "false", "why": "We looked."}
        ),
        AssumptionUpdated,
    ),
}
"""By kind: the command and event of an item that is raised, and those of its update."""


def open_items(view: Mapping[str, Any]) -> list[str]:
    raid = view["raid"]
    return [
        each.item
        for each in (
            *raid.open_risks,
            *raid.open_issues,
            *raid.open_actions,
            *raid.open_assumptions,
        )
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_an_item_is_raised_updated_whole_and_closed(kind: str) -> None:
    raise_item, raised, update, updated = KINDS[kind]
    first = released().when(raise_item).then(raised(**dict(raise_item)))
    first.when(raise_item).then_nothing()
    second = first.when(update).then(updated(**dict(update)))
    assert open_items(second.view) == [raise_item.item]
    close = CloseRaidItem(item=raise_item.item or "", resolution="Over.")
    closed = second.when(close).then(like(RaidItemClosed, item=raise_item.item))
    assert open_items(closed.view) == []


@pytest.mark.parametrize("kind", KINDS)
def test_an_update_that_changes_nothing_but_the_reason_is_not_recorded(kind: str) -> None:
    raise_item, _, update, _ = KINDS[kind]
    second = released().after(raise_item).after(update)
    second.when(update).then_nothing()
    second.when(update.model_copy(update={"why": "Another reason."})).then_nothing()
    unchanged = type(update)(**{**dict(raise_item), "why": "No reason."})
    released().after(raise_item).when(unchanged).then_nothing()
    second.when(unchanged).then_accepted()


@pytest.mark.parametrize("kind", KINDS)
def test_an_item_that_was_updated_or_closed_is_not_raised_again(kind: str) -> None:
    raise_item, _, update, _ = KINDS[kind]
    first = released().after(raise_item)
    first.after(update).when(raise_item).then_refused("raid-item-updated")
    closed = first.after(CloseRaidItem(item=raise_item.item or "", resolution="Over."))
    closed.when(raise_item).then_refused("raid-item-closed")
    closed.when(update).then_refused("raid-item-closed")


@pytest.mark.parametrize("kind", KINDS)
def test_only_a_known_item_of_the_same_kind_is_updated(kind: str) -> None:
    _, _, update, _ = KINDS[kind]
    released().when(update).then_refused("raid-item-unknown")
    other = RISK if kind != "risk" else ISSUE
    update = update.model_copy(update={"item": other.item})
    released().after(other).when(update).then_refused("raid-item-unknown")


def test_the_state_with_all_kinds_of_items_can_be_stored() -> None:
    scenario = released().after(DECISION)
    for raise_item, _, update, _ in KINDS.values():
        scenario = scenario.after(raise_item)
        state = scenario.state
        assert type(state).model_validate_json(state.model_dump_json()) == state
        scenario = scenario.after(update)
    state = scenario.state
    assert type(state).model_validate_json(state.model_dump_json()) == state


LATER = date(2026, 4, 10)


@pytest.mark.parametrize("kind", KINDS)
def test_an_item_closed_by_mistake_is_open_again(kind: str) -> None:
    raise_item, _, update, _ = KINDS[kind]
    item = raise_item.item or ""
    reopen = ReopenRaidItem(item=item, why="It came back.")
    closed = released().after(raise_item).after(closing(item))
    again = (
        closed.on(LATER)
        .when(reopen)
        .then(RaidItemReopened(item=item, why="It came back.", closed_on=TODAY, reopened_on=LATER))
    )
    assert open_items(again.view) == [item]
    again.when(reopen).then_refused("raid-item-not-closed")
    again.when(update).then_accepted().when(closing(item)).then(like(RaidItemClosed))
    early = reopen.model_copy(update={"reopened_on": date(2026, 4, 7)})
    closed.when(early).then_refused("date-before-record", saying="reopened_on")
    released().when(reopen).then_refused("raid-item-unknown")


def closing(item: str) -> CloseRaidItem:
    return CloseRaidItem(item=item, resolution="Over.")


@pytest.mark.parametrize("kind", KINDS)
def test_an_item_recorded_by_mistake_is_withdrawn_open_or_closed(kind: str) -> None:
    raise_item, _, update, _ = KINDS[kind]
    item = raise_item.item or ""
    withdraw = WithdrawRaidItem(item=item, why="Another engagement's.")
    event = RaidItemWithdrawn(item=item, why="Another engagement's.", withdrawn_on=TODAY)
    first = released().after(raise_item)
    for before in (first, first.after(update), first.after(closing(item))):
        gone = before.when(withdraw).then(event)
        assert open_items(gone.view) == []
        gone.on(LATER).when(withdraw).then_nothing()
        other = withdraw.model_copy(update={"why": "Twice."})
        gone.when(other).then_refused("already-recorded", fields={"why"})
        reopen = ReopenRaidItem(item=item, why="No.")
        for command in (raise_item, update, closing(item), reopen):
            gone.when(command).then_refused("raid-item-withdrawn")
    future = withdraw.model_copy(update={"withdrawn_on": date(2026, 4, 20)})
    first.when(future).then_refused("date-in-future")
    released().when(withdraw).then_refused("raid-item-unknown")


def test_a_decision_recorded_by_mistake_is_withdrawn() -> None:
    withdraw = WithdrawRaidItem(item="D-1", why="Another engagement's.")
    recorded = released().after(DECISION)
    gone = recorded.when(withdraw).then(like(RaidItemWithdrawn, item="D-1"))
    assert gone.view["raid"].decisions == ()
    gone.when(DECISION).then_refused("raid-item-withdrawn")
    early = withdraw.model_copy(update={"withdrawn_on": date(2026, 4, 7)})
    recorded.when(early).then_refused("date-before-record")
    recorded.when(ReopenRaidItem(item="D-1", why="No.")).then_refused("raid-item-not-closed")


def test_items_are_corrected_after_a_termination_and_not_after_a_closing() -> None:
    issue = released().after(ISSUE).after(closing("I-1"))
    reopen, withdraw = (
        ReopenRaidItem(item="I-1", why="It came back."),
        WithdrawRaidItem(item="I-1", why="Not ours."),
    )
    over = issue.consumed(TERMINATED)
    over.when(reopen).then_accepted().when(withdraw).then_accepted()
    closed = issue.published(EngagementClosed(closed_on=TODAY))
    for command in (reopen, withdraw):
        closed.when(command).then_refused("engagement-over")


@pytest.mark.parametrize(
    ("nobody", "code"), [("zzz", "person-unknown"), ("oda", "contact-of-other-account")]
)
def test_an_item_is_owned_by_a_person_of_the_company_or_a_contact_of_the_account(
    nobody: str, code: RefusalCode
) -> None:
    issue = RaiseIssue(item="I-9", title="Access", severity="high", owner="cleo", due_on=TODAY)
    raised = released().when(issue).then_accepted()
    other = issue.model_copy(update={"item": "I-8", "owner": nobody})
    raised.when(other).then_refused(code, saying="owner")
    update = UpdateIssue(**{**dict(issue), "owner": nobody, "why": "Moved."})
    raised.when(update).then_refused(code, saying="owner")
    raised.when(update.model_copy(update={"owner": "dev"})).then_accepted()
    decided = RecordDecision(title="Two regions", rationale="Cost.", decided_by=nobody)
    raised.when(decided).then_refused(code, saying="decided_by")
