"""Test the test kit with a small decider: Legal opens a file when a deal is won, then signs it."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Self

import pytest

from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Missing, gate
from chassis.domain.context import Context
from chassis.domain.deadlines import Deadline, DeadlinePassed
from chassis.domain.decider import Decider
from chassis.domain.state import Part, on_event
from contracts.channels import DELIVERY, LEGAL, SALES
from contracts.event import Event
from contracts.reference import PersonPublished
from testkit.scenario import given, like, permutations_agree

ENGAGEMENT_ID = "E-0000000000001"


class KitDealWon(Event, channel=SALES):
    price: int


class KitReviewed(Event, channel=DELIVERY):
    approved: bool


class KitFileOpened(Event, channel=LEGAL):
    price: int


class KitSigned(Event, channel=LEGAL):
    by: str


class KitLapsed(Event, channel=LEGAL):
    on: date


class Sign(Command):
    by: str


class File(Part):
    price: int | None = None
    opened: bool = False
    reviews: int = 0
    signed_by: str | None = None

    @on_event
    def _won(self, event: KitDealWon) -> Self:
        return self.updated(price=event.price)

    @on_event
    def _reviewed(self, event: KitReviewed) -> Self:
        return self.updated(reviews=self.reviews + 1)

    @on_event
    def _opened(self, event: KitFileOpened) -> Self:
        return self.updated(opened=True)

    @on_event
    def _signed(self, event: KitSigned) -> Self:
        return self.updated(signed_by=event.by)


files: Capability[File] = Capability(__name__)
opening: Capability[File] = Capability(__name__)


@files.decide(Sign, by=None)
def _sign(state: File, command: Sign, context: Context) -> Iterable[Event]:
    gate(
        "sow-not-approved",
        [
            None if state.opened else Missing("file-not-open", "no file is open", "sales"),
            None
            if state.reviews
            else Missing("delivery-review-missing", "Delivery has not reviewed", "delivery"),
            None
            if context.reference_data.latest(PersonPublished, command.by)
            else Missing("person-unknown", f"no person has the id {command.by}"),
        ],
    )
    return [KitSigned(by=command.by)]


@files.decide(DeadlinePassed, by=None)
def _lapse(state: File, command: DeadlinePassed, context: Context) -> Iterable[Event]:
    return [KitLapsed(on=context.today)]


@opening.react
def react(state: File, context: Context) -> Iterable[Event]:
    if state.price is not None and not state.opened:
        yield KitFileOpened(price=state.price)


@files.deadlines
def deadlines(state: File) -> Iterable[Deadline]:
    if state.opened:
        yield Deadline("signature-due", datetime(2026, 2, 1, tzinfo=UTC))


LEGAL_FILES = Decider("legal", "engagement", lambda _: File(), (files, opening))
ANN = PersonPublished(person="ann", name="Ann", department="legal")
OPEN = given(LEGAL_FILES, ENGAGEMENT_ID, records=[ANN]).consumed(
    KitDealWon(price=7), KitReviewed(approved=True)
)


def test_a_command_is_decided_on_own_and_processed_events():
    after = OPEN.published(KitFileOpened(price=7)).when(Sign(by="ann")).then(KitSigned(by="ann"))
    assert after.state.signed_by == "ann"
    assert after.stream.position == {"sales": 1, "delivery": 1, "legal": 2}


def test_reactions_follow_processed_events():
    opened = (
        given(LEGAL_FILES, ENGAGEMENT_ID)
        .when_consumed(KitDealWon(price=7), KitReviewed(approved=True))
        .then(KitFileOpened(price=7))
    )
    assert (opened.state.price, opened.state.opened) == (7, True)
    opened.when_consumed(KitReviewed(approved=False)).then_nothing()


def test_a_refusal_names_all_that_is_missing():
    scenario = given(LEGAL_FILES, ENGAGEMENT_ID)
    outcome = scenario.when(Sign(by="ann"))
    outcome.then_refused(
        "sow-not-approved",
        missing={"file-not-open", "delivery-review-missing", "person-unknown"},
        saying="Delivery",
    )
    with pytest.raises(AssertionError, match="refused as sow-not-approved: no file"):
        outcome.then(KitSigned(by="ann"))
    with pytest.raises(AssertionError, match="is missing, not"):
        outcome.then_refused("sow-not-approved", missing={"file-not-open"})
    with pytest.raises(AssertionError, match="not sow-signed"):
        outcome.then_refused("sow-signed")


def test_a_wrong_expectation_is_shown_line_by_line():
    with pytest.raises(AssertionError) as failure:
        OPEN.published(KitFileOpened(price=7)).when(Sign(by="ann")).then(KitSigned(by="bob"))
    assert "-   {'by': 'bob'}" in str(failure.value)
    assert "+   {'by': 'ann'}" in str(failure.value)
    with pytest.raises(AssertionError, match="it was not refused"):
        OPEN.published(KitFileOpened(price=7)).when(Sign(by="ann")).then_refused("sow-not-approved")


def test_only_the_fields_that_are_named_can_be_compared():
    signed = OPEN.published(KitFileOpened(price=7)).when(Sign(by="ann"))
    signed.then(like(KitSigned))
    signed.then(like(KitSigned, by="ann"))
    with pytest.raises(AssertionError):
        signed.then(like(KitSigned, by="bob"))
    with pytest.raises(AssertionError, match="no field who"):
        like(KitSigned, who="ann")


def test_a_deadline_passes_at_its_moment():
    opened = OPEN.published(KitFileOpened(price=7)).then_deadlines(signature_due=date(2026, 2, 1))
    opened.when_deadline("signature-due").then(KitLapsed(on=date(2026, 2, 1)))
    with pytest.raises(AssertionError, match="no deadline 'other'"):
        opened.when_deadline("other")


def test_an_event_that_is_not_routed_to_the_stream_is_an_error_of_the_test():
    with pytest.raises(AssertionError, match="is not routed to"):
        given(LEGAL_FILES, ENGAGEMENT_ID).consumed(ANN)
    with pytest.raises(AssertionError, match="does not publish"):
        given(LEGAL_FILES, ENGAGEMENT_ID).published(KitDealWon(price=7))


def test_channels_may_arrive_in_any_order():
    permutations_agree(
        given(LEGAL_FILES, ENGAGEMENT_ID),
        KitDealWon(price=7),
        KitReviewed(approved=True),
        KitReviewed(approved=True),
        KitSigned(by="ann"),
        apart=timedelta(days=1),
    )


def test_a_state_that_depends_on_the_order_is_found():
    class First(Part):
        department: str | None = None

        @on_event
        def _won(self, event: KitDealWon) -> Self:
            return self.updated(department=self.department or "sales")

        @on_event
        def _reviewed(self, event: KitReviewed) -> Self:
            return self.updated(department=self.department or "delivery")

    decider = Decider("legal", "engagement", lambda _: First(), ())
    with pytest.raises(AssertionError, match="the states differ"):
        permutations_agree(
            given(decider, ENGAGEMENT_ID), KitDealWon(price=7), KitReviewed(approved=True)
        )


def test_reactions_that_depend_on_the_order_are_found():
    capability: Capability[File] = Capability(__name__)

    @capability.react
    def hasty(state: File, context: Context) -> Iterable[Event]:
        if state.price is not None and not state.opened and not state.reviews:
            yield KitFileOpened(price=state.price)

    decider = Decider("legal", "engagement", lambda _: File(), (capability,))
    with pytest.raises(AssertionError, match="the events differ"):
        permutations_agree(
            given(decider, ENGAGEMENT_ID), KitDealWon(price=7), KitReviewed(approved=True)
        )
