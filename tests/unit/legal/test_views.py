from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from contracts.delivery import ChangeRejected, EngagementClosed
from contracts.legal import EarlyStartAuthorised, EngagementTerminated
from contracts.sales import DealLost, ProposalSubmitted
from legal.amendments.decisions import SignAmendment
from legal.engagement import Engagement
from legal.service import ENGAGEMENT
from legal.signing.decisions import DeclineSignature
from legal.sows.decisions import RedlineSow, ResolveRedline
from testkit.scenario import Scenario
from tests.amounts import eur
from tests.unit.legal.builders import (
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
    drafted,
    filed,
    new,
    of_delivery,
    of_finance,
    opened,
    priced,
    requested,
    reviewed,
    sent,
    signed,
)

TERMINATED = EngagementTerminated(reason="mutual", terminated_on=TODAY)
REDLINE = RedlineSow(version=1, by="customer", clause="Liability", text="None.")


DECLINE = DeclineSignature(version=1, party="customer", person="zoe", why="Not this year.")


def resolved(outcome: str) -> Scenario[Engagement]:
    """Return an engagement whose first version has a resolved redline."""
    redlined = drafted().after(REDLINE)
    [redline] = redlined.view["statements_of_work"][0].redlines
    command = {"redline": redline.redline, "outcome": outcome}
    return redlined.after(ResolveRedline.model_validate(command))


def row(scenario: Scenario[Engagement]) -> dict[str, Any]:
    """Return the list row of an engagement."""
    return ENGAGEMENT.rows(scenario.state)


@pytest.mark.parametrize(
    ("scenario", "expected"),
    [
        (new, "unfiled"),
        (opened, "unfiled"),
        (filed, "filed"),
        (drafted, "reviewing"),
        (lambda: drafted().after(REDLINE), "drafting"),
        (lambda: drafted().consumed(of_delivery(V1, "Too early")), "drafting"),
        (lambda: drafted().after(REDLINE).published(V2), "drafting"),
        (lambda: resolved("accepted"), "drafting"),
        (lambda: resolved("accepted").published(V2), "reviewing"),
        (lambda: resolved("rejected"), "reviewing"),
        (lambda: sent().after(DECLINE), "approved"),
        (reviewed, "reviewing"),
        (approved, "approved"),
        (sent, "sent"),
        (signed, "signed"),
        (lambda: signed().published(TERMINATED), "terminated"),
        (lambda: sent().consumed(DealLost(reason="price", lost_on=TODAY)), "lost"),
        (lambda: signed().consumed(EngagementClosed(closed_on=TODAY)), "closed"),
    ],
)
def test_the_stage_of_the_contract_documents(
    scenario: Callable[[], Scenario[Engagement]], expected: str
):
    scenario().then_view(stage=expected)
    assert row(scenario())["stage"] == expected


def test_a_view_has_engagement_and_account_before_the_file_is_open():
    opened().then_view(engagement=ID, account="acme", title="Order desk")


def test_the_newest_proposal_is_shown_with_its_terms():
    first = opened().consumed(PROPOSED, ProposalSubmitted(version=1, submitted_on=TODAY))
    second = first.consumed(
        PROPOSED.model_copy(update={"version": 2, "exclusions": ("Hosting",)}),
    )
    shown = [each.view["proposal"] for each in (opened(), first, second)]
    assert [one and (one.version, one.submitted_on, one.exclusions) for one in shown] == [
        None,
        (1, TODAY, ()),
        (2, None, ("Hosting",)),
    ]


def test_each_version_has_a_status_and_its_missing_approvals():
    versions = reviewed().published(V2).consumed(of_finance(V2)).view["statements_of_work"]
    assert [one.status for one in versions] == ["superseded", "drafted"]
    assert [[waiting.code for waiting in one.waits_for] for one in versions] == [
        [],
        ["delivery-review-missing"],
    ]
    objected = sent().consumed(of_finance(V1, "Too cheap")).view
    assert [one.code for one in objected["statements_of_work"][0].waits_for] == ["finance-objected"]
    for scenario, status in ((approved(), "approved"), (sent(), "sent"), (signed(), "signed")):
        assert scenario.view["statements_of_work"][0].status == status


def test_a_change_lists_what_is_missing_for_its_amendment():
    def waiting(scenario: Scenario[Engagement]) -> list[str]:
        return [one.code for one in scenario.view["changes"][0].waits_for]

    unpriced = signed().consumed(requested(), assessed(), agreed())
    assert waiting(unpriced) == ["change-not-priced"]
    assert waiting(unpriced.when_consumed(priced(price=eur(-100_001)), knowing=ALL).after) == [
        "price-below-zero"
    ]
    assert waiting(sent().consumed(requested(), assessed(), agreed(), priced(), knowing=ALL)) == [
        "sow-not-signed"
    ]
    drafted = unpriced.when_consumed(priced(), knowing=ALL).after
    assert waiting(drafted) == []
    assert waiting(drafted.consumed(priced(price=eur(1)), knowing=ALL)) == ["amendment-outdated"]


def test_amendments_are_open_until_they_are_signed_or_rejected():
    drafted = (
        signed()
        .consumed(requested(), assessed(), agreed())
        .when_consumed(priced(), knowing=ALL)
        .after
    )
    draft = drafted.view["changes"][0].amendment
    done = drafted.after(
        SignAmendment(amendment="A-C-1", content_hash=draft.content_hash, signatories=BOTH)
    )
    rejected = drafted.consumed(ChangeRejected(change="C-1", why="No", rejected_on=TODAY))
    assert [row(each)["open_amendments"] for each in (signed(), drafted, done, rejected)] == [
        0,
        1,
        0,
        0,
    ]
    amendment = done.view["changes"][0].amendment
    assert amendment
    assert (amendment.status, amendment.signatories) == ("signed", BOTH)
    assert done.view["changes"][0].waits_for == ()


def test_the_list_row_of_an_engagement():
    assert row(new()) == dict.fromkeys(ENGAGEMENT.rows.fields) | {
        "stage": "unfiled",
        "open_amendments": 0,
        "open_obligations": 0,
        "imported": False,
    }
    drafted = (
        signed().consumed(requested(), assessed(), agreed()).when_consumed(priced(), knowing=ALL)
    )
    assert row(drafted.after) == {
        "account": "acme",
        "title": "Order desk",
        "stage": "signed",
        "signed_on": "2026-03-02",
        "price_minor_units": 10_000_000,
        "currency": "EUR",
        "open_amendments": 1,
        "open_obligations": 0,
        "next_obligation": None,
        "imported": False,
    }


def test_an_early_start_is_shown_until_and_after_it_ends():
    event = EarlyStartAuthorised(
        cap_hours=Decimal(80), starts_on=TODAY, expires_on=date(2026, 3, 31), reason="Licences end."
    )
    early = filed().published(event, by="carl")
    expired = early.when_deadline("early-start-2026-03-31").after

    def shown(scenario: Scenario[Engagement]) -> tuple[str, str] | None:
        views = scenario.view["early_starts"]
        return (views[-1].status, views[-1].authorised_by) if views else None

    assert shown(filed()) is None
    assert shown(early) == ("authorised", "carl")
    assert shown(expired) == ("expired", "carl")
    assert shown(signed().published(event, by="carl")) == ("replaced", "carl")


def test_the_list_is_sorted_by_amounts_within_their_currency() -> None:
    assert ENGAGEMENT.rows.within == {"price_minor_units": "currency"}
