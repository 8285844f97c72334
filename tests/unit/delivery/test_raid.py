from contracts.delivery import DecisionRecorded, IssueRaised, RaidItemClosed, RiskRaised
from delivery.raid.decisions import CloseRaidItem, RaiseIssue, RaiseRisk, RecordDecision
from testkit.scenario import like
from tests.unit.delivery.builders import TERMINATED, TODAY, hours, opened, released

RISK = RaiseRisk(
    item="R-1",
    title="Data is late",
    probability=hours(30),
    impact="high",
    owner="mara",
    response="Ask weekly.",
)
ISSUE = RaiseIssue(item="I-1", title="Server is down", severity="medium", owner="dev")
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
