from datetime import date
from decimal import Decimal

import pytest

from contracts.delivery import ChangeRejected, EngagementClosed
from contracts.legal import EarlyStartAuthorised, EngagementTerminated
from contracts.sales import DealLost, ProposalSubmitted
from legal.amendments import SignAmendment
from legal.sows import RedlineSow
from legal.state import Engagement
from legal.views import LISTED, engagement_view, listed, open_amendments, stage
from testkit.scenario import Scenario
from tests.unit.legal.papers import (
    ALL,
    BOTH,
    ID,
    PROPOSED,
    TODAY,
    V1,
    V2,
    agreed,
    approved,
    assessed,
    eur,
    filed,
    given_nothing,
    heard_of,
    of_delivery,
    of_finance,
    priced,
    requested,
    reviewed,
    sent,
    signed,
    with_draft,
)

TERMINATED = EngagementTerminated(reason="mutual", terminated_on=TODAY)
REDLINE = RedlineSow(version=1, by="customer", clause="Liability", text="None.")


@pytest.mark.parametrize(
    ("scenario", "expected"),
    [
        (given_nothing, "unfiled"),
        (heard_of, "unfiled"),
        (filed, "filed"),
        (with_draft, "reviewing"),
        (with_draft.after(REDLINE), "drafting"),
        (with_draft.consumed(of_delivery(V1, "Too early")), "drafting"),
        (with_draft.after(REDLINE).published(V2), "reviewing"),
        (reviewed, "reviewing"),
        (approved, "approved"),
        (sent, "sent"),
        (signed, "signed"),
        (signed.published(TERMINATED), "terminated"),
        (sent.consumed(DealLost(reason="price", lost_on=TODAY)), "lost"),
        (signed.consumed(EngagementClosed(closed_on=TODAY)), "closed"),
    ],
)
def test_the_stage_of_the_contract_documents(scenario: Scenario[Engagement], expected: str):
    assert stage(scenario.state) == expected
    assert engagement_view(scenario.state).stage == expected


def test_a_view_has_engagement_and_account_before_the_file_is_open():
    view = engagement_view(heard_of.state)
    assert (view.engagement, view.account, view.title) == (ID, "acme", "Order desk")


def test_the_newest_proposal_is_shown_with_its_terms():
    first = heard_of.consumed(PROPOSED, ProposalSubmitted(version=1, submitted_on=TODAY))
    second = first.consumed(
        PROPOSED.model_copy(update={"version": 2, "exclusions": ("Hosting",)}),
    )
    shown = [engagement_view(each.state).proposal for each in (heard_of, first, second)]
    assert [one and (one.version, one.submitted_on, one.exclusions) for one in shown] == [
        None,
        (1, TODAY, ()),
        (2, None, ("Hosting",)),
    ]


def test_each_version_has_a_status_and_its_missing_approvals():
    view = engagement_view(reviewed.published(V2).consumed(of_finance(V2)).state)
    assert [one.status for one in view.statements_of_work] == ["superseded", "drafted"]
    assert [[waiting.code for waiting in one.waits_for] for one in view.statements_of_work] == [
        [],
        ["delivery-review-missing"],
    ]
    objected = engagement_view(sent.consumed(of_finance(V1, "Too cheap")).state)
    assert [one.code for one in objected.statements_of_work[0].waits_for] == ["finance-objected"]
    for scenario, status in ((approved, "approved"), (sent, "sent"), (signed, "signed")):
        assert engagement_view(scenario.state).statements_of_work[0].status == status


def test_a_change_lists_what_is_missing_for_its_amendment():
    def waiting(scenario: Scenario[Engagement]) -> list[str]:
        return [one.code for one in engagement_view(scenario.state).changes[0].waits_for]

    unpriced = signed.consumed(requested(), assessed(), agreed())
    assert waiting(unpriced) == ["change-not-priced"]
    assert waiting(unpriced.when_consumed(priced(price=eur(-200_000)), knowing=ALL).after) == [
        "price-below-zero"
    ]
    assert waiting(sent.consumed(requested(), assessed(), agreed(), priced(), knowing=ALL)) == [
        "sow-not-signed"
    ]
    drafted = unpriced.when_consumed(priced(), knowing=ALL).after
    assert waiting(drafted) == []
    assert waiting(drafted.consumed(priced(price=eur(1)), knowing=ALL)) == ["amendment-outdated"]


def test_amendments_are_open_until_they_are_signed_or_rejected():
    drafted = (
        signed.consumed(requested(), assessed(), agreed())
        .when_consumed(priced(), knowing=ALL)
        .after
    )
    draft = drafted.state.amendments["A-C-1"].drafted
    done = drafted.after(
        SignAmendment(amendment="A-C-1", content_hash=draft.content_hash, signatories=BOTH)
    )
    rejected = drafted.consumed(ChangeRejected(change="C-1", why="No", rejected_on=TODAY))
    assert [open_amendments(each.state) for each in (signed, drafted, done, rejected)] == [
        0,
        1,
        0,
        0,
    ]
    amendment = engagement_view(done.state).changes[0].amendment
    assert amendment
    assert (amendment.status, amendment.signatories) == ("signed", BOTH)
    assert engagement_view(done.state).changes[0].waits_for == ()


def test_the_list_row_of_an_engagement():
    assert listed(given_nothing.state) == dict.fromkeys(LISTED) | {
        "stage": "unfiled",
        "open_amendments": 0,
    }
    drafted = signed.consumed(requested(), assessed(), agreed()).when_consumed(
        priced(), knowing=ALL
    )
    assert listed(drafted.after.state) == {
        "account": "acme",
        "title": "Order desk",
        "stage": "signed",
        "signed_on": "2026-03-02",
        "price_minor_units": 10_000_000,
        "currency": "EUR",
        "open_amendments": 1,
    }


def test_an_early_start_is_shown_until_and_after_it_ends():
    event = EarlyStartAuthorised(
        cap_hours=Decimal(80), expires_on=date(2026, 3, 31), reason="Licences end."
    )
    early = filed.published(event, by="carl")
    expired = early.when_deadline("early-start-2026-03-31").after

    def shown(scenario: Scenario[Engagement]) -> tuple[str, str] | None:
        views = engagement_view(scenario.state).early_starts
        return (views[-1].status, views[-1].authorised_by) if views else None

    assert shown(filed) is None
    assert shown(early) == ("authorised", "carl")
    assert shown(expired) == ("expired", "carl")
    assert shown(signed.published(event, by="carl")) == ("replaced", "carl")
