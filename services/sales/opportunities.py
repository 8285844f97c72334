"""Opportunities: opened, qualified, advanced, handed to Delivery for an estimate, lost."""

from collections.abc import Iterable
from typing import Literal

from pydantic import Field, field_validator

from chassis.domain.decider import Command, Context, Missing, Refused, gate
from contracts.event import Event
from contracts.money import NotNegativeMoney
from contracts.reference import AccountPublished
from contracts.sales import (
    DealLost,
    EstimateRequested,
    OpportunityAdvanced,
    OpportunityOpened,
    OpportunityQualified,
    PipelineStage,
)
from contracts.values import (
    AccountId,
    Day,
    Deliverable,
    Percent,
    PersonId,
    ShortText,
    Text,
    YesNo,
)
from sales.selling import distinct, happened, known_to_all, one_currency, still_selling
from sales.state import Engagement, decide


class OpenOpportunity(Command):
    """Begin an engagement: a customer, whose account is published, may buy work.

    Contacts and owner are ids of people.
    """

    account: AccountId
    title: ShortText
    contacts: tuple[PersonId, ...] = Field(default=(), max_length=50)
    expected_value: NotNegativeMoney
    expected_close: Day
    owner: PersonId


class AdoptOpportunity(Command):
    """Go on here with an opportunity that was imported open, so that other departments hear of it.

    What is not given stays as it was imported; what the CRM did not know must be given.
    """

    account: AccountId | None = None
    title: ShortText | None = None
    contacts: tuple[PersonId, ...] = Field(default=(), max_length=50)
    expected_value: NotNegativeMoney | None = None
    expected_close: Day
    owner: PersonId | None = None


class QualifyOpportunity(Command):
    """Record whether budget, authority, need and timing are there; score is 0 to 100.

    May be said again while the sale is open: the latest judgement stands.
    """

    budget: YesNo
    authority: YesNo
    need: YesNo
    timing: YesNo
    score: Percent


class AdvanceOpportunity(Command):
    """Move the opportunity to a pipeline stage, forward or back; probability is in percent."""

    pipeline_stage: PipelineStage
    probability: Percent


class RequestEstimate(Command):
    """Ask Delivery what the work would take: the scope in brief, and what the customer wants.

    Asked again with another scope, Delivery estimates anew.
    """

    scope_summary: Text
    deliverables: tuple[Deliverable, ...] = Field(min_length=1, max_length=200)
    wanted_finish: Day | None = None

    @field_validator("deliverables")
    @classmethod
    def _distinct(cls, deliverables: tuple[Deliverable, ...]) -> tuple[Deliverable, ...]:
        distinct(item.deliverable for item in deliverables)
        return deliverables


class LoseDeal(Command):
    """Record that the customer said no, or nothing any more: why, and to whom it went."""

    reason: Literal["price", "scope", "timing", "competitor", "no-decision", "withdrawn"]
    comment: Text | None = None
    competitor: ShortText | None = None
    lost_on: Day | None = Field(default=None, description="today unless given")


@decide.on(OpenOpportunity)
def open_opportunity(
    state: Engagement, command: OpenOpportunity, context: Context
) -> Iterable[Event]:
    """Open it, once: for an account that is known, to be closed on a day that is not over."""
    event = OpportunityOpened(**dict(command))
    if state.opened == event:
        return
    if state.opened or state.imported:
        raise Refused("already-opened", "this opportunity stands already, with other content")
    _openable(event, context)
    yield event


@decide.on(AdoptOpportunity)
def adopt_opportunity(
    state: Engagement, command: AdoptOpportunity, context: Context
) -> Iterable[Event]:
    """Open what was imported, once, for all to hear."""
    imported = state.imported
    if imported is None:
        raise Refused("not-imported", "this opportunity was not imported")
    if state.opened is None:
        still_selling(state)
    account = command.account or imported.account
    value = command.expected_value or imported.value
    if account is None or value is None:
        gate("adoption-incomplete", _unknown(account=account, expected_value=value))
        return
    event = OpportunityOpened(
        account=account,
        title=command.title or imported.title,
        contacts=command.contacts,
        expected_value=value,
        expected_close=command.expected_close,
        owner=command.owner or imported.owner,
    )
    if state.opened == event:
        return
    if state.opened:
        raise Refused("already-opened", "this opportunity was adopted already, with other content")
    one_currency(state.currency, expected_value=value)
    _openable(event, context)
    yield event


def _openable(event: OpportunityOpened, context: Context) -> None:
    if context.records.latest(AccountPublished, event.account) is None:
        raise Refused(
            "account-unknown", f"account: no account {event.account!r} is known; publish it first"
        )
    if event.expected_close < context.today:
        raise Refused(
            "expected-close-passed", f"expected_close: {event.expected_close} is over already"
        )


def _unknown(**fields: object) -> Iterable[Missing]:
    for field, value in fields.items():
        if value is None:
            yield Missing(field, f"{field}: the CRM did not know it; give it", "sales")


@decide.on(QualifyOpportunity)
def qualify_opportunity(
    state: Engagement, command: QualifyOpportunity, context: Context
) -> Iterable[Event]:
    """Record the judgement if it is a new one."""
    still_selling(state)
    event = OpportunityQualified(**dict(command))
    if state.qualified != event:
        yield event


@decide.on(AdvanceOpportunity)
def advance_opportunity(
    state: Engagement, command: AdvanceOpportunity, context: Context
) -> Iterable[Event]:
    """Move it, if it does not stand there with this probability."""
    still_selling(state)
    there = (state.pipeline_stage, state.probability)
    if there != (command.pipeline_stage, command.probability):
        yield OpportunityAdvanced(**dict(command))


@decide.on(RequestEstimate)
def request_estimate(
    state: Engagement, command: RequestEstimate, context: Context
) -> Iterable[Event]:
    """Ask, unless exactly this was asked last."""
    still_selling(state)
    known_to_all(state)
    event = EstimateRequested(**dict(command))
    if state.estimate_requested == event:
        return
    if command.wanted_finish and command.wanted_finish < context.today:
        raise Refused(
            "wanted-finish-passed", f"wanted_finish: {command.wanted_finish} is over already"
        )
    yield event


@decide.on(LoseDeal)
def lose_deal(state: Engagement, command: LoseDeal, context: Context) -> Iterable[Event]:
    """Lose it at any stage before it is won."""
    if state.lost and _said_again(state.lost, command):
        return
    still_selling(state)
    lost_on = happened("lost_on", command.lost_on, context)
    yield DealLost(**{**dict(command), "lost_on": lost_on})


def _said_again(lost: DealLost, command: LoseDeal) -> bool:
    return {**dict(command), "lost_on": command.lost_on or lost.lost_on} == dict(lost)
