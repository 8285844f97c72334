"""Decide on opportunities: open, adopt, qualify, advance, request an estimate, lose."""

from collections.abc import Iterable
from typing import Literal

from pydantic import Field, field_validator

from chassis.domain.commands import Command, Missing, Refused, gate
from chassis.domain.context import Context
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
from sales.policies import distinct, past_day, require_adopted, require_currency, require_open_sale
from sales.state import Engagement, decide


class OpenOpportunity(Command):
    """Open an opportunity for a published account; this creates the engagement.

    `contacts` and `owner` are person ids.
    """

    account: AccountId
    title: ShortText
    contacts: tuple[PersonId, ...] = Field(default=(), max_length=50)
    expected_value: NotNegativeMoney
    expected_close: Day
    owner: PersonId


class AdoptOpportunity(Command):
    """Adopt an opportunity that was imported as open, so that other departments can work on it.

    A field that is not given keeps its imported value; a value that the CRM did not have is
    required.
    """

    account: AccountId | None = None
    title: ShortText | None = None
    contacts: tuple[PersonId, ...] = Field(default=(), max_length=50)
    expected_value: NotNegativeMoney | None = None
    expected_close: Day
    owner: PersonId | None = None


class QualifyOpportunity(Command):
    """Record whether budget, authority, need and timing are confirmed, with a score of 0 to 100.

    May be repeated while the sale is open; the latest qualification applies.
    """

    budget: YesNo
    authority: YesNo
    need: YesNo
    timing: YesNo
    score: Percent


class AdvanceOpportunity(Command):
    """Move the opportunity to a pipeline stage, forward or back; `probability` is in percent."""

    pipeline_stage: PipelineStage
    probability: Percent


class RequestEstimate(Command):
    """Request an estimate from Delivery for this scope, these deliverables and the wanted finish.

    A further request with other content asks for a new estimate.
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
    """Record that the deal is lost, with the reason and, where known, the competitor that won it.

    A customer who does not decide is a reason, too (`no-decision`).
    """

    reason: Literal["price", "scope", "timing", "competitor", "no-decision", "withdrawn"]
    comment: Text | None = None
    competitor: ShortText | None = None
    lost_on: Day | None = Field(default=None, description="today unless given")


@decide.on(OpenOpportunity)
def open_opportunity(
    state: Engagement, command: OpenOpportunity, context: Context
) -> Iterable[Event]:
    """Open the opportunity; a repeated, equal command changes nothing.

    Raises Refused where it already exists with different content, the account is not published,
    or the expected close is in the past.
    """
    event = OpportunityOpened(**dict(command))
    if state.opened == event:
        return
    if state.opened or state.imported:
        raise Refused("already-recorded", "this opportunity already exists, with different content")
    _openable(event, context)
    yield event


@decide.on(AdoptOpportunity)
def adopt_opportunity(
    state: Engagement, command: AdoptOpportunity, context: Context
) -> Iterable[Event]:
    """Open the imported opportunity; a repeated, equal command changes nothing.

    Raises Refused where it was not imported or is over, a value is missing or in another currency,
    and where OpenOpportunity would be refused.
    """
    imported = state.imported
    if imported is None:
        raise Refused("opportunity-not-imported", "this opportunity was not imported")
    if state.opened is None:
        require_open_sale(state)
    account = command.account or imported.account
    value = command.expected_value or imported.value
    if account is None or value is None:
        gate("adoption-incomplete", _missing(account=account, expected_value=value))
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
        raise Refused(
            "already-recorded", "this opportunity was already adopted, with different content"
        )
    require_currency(state.currency, expected_value=value)
    _openable(event, context)
    yield event


def _openable(event: OpportunityOpened, context: Context) -> None:
    """Refuse an account that is not published, and an expected close before today (UTC)."""
    if context.reference_data.latest(AccountPublished, event.account) is None:
        raise Refused(
            "account-unknown",
            f"account: no account {event.account!r} is published; publish it first",
        )
    if event.expected_close < context.today:
        raise Refused(
            "expected-close-passed", f"expected_close: {event.expected_close} is in the past"
        )


def _missing(**fields: object) -> Iterable[Missing]:
    for field, value in fields.items():
        if value is None:
            sentence = f"{field}: the CRM had no value, so it must be given"
            yield Missing("field-missing", sentence, "sales", field)


@decide.on(QualifyOpportunity)
def qualify_opportunity(
    state: Engagement, command: QualifyOpportunity, context: Context
) -> Iterable[Event]:
    """Record the qualification, unless it equals the last one."""
    require_open_sale(state)
    event = OpportunityQualified(**dict(command))
    if state.qualified != event:
        yield event


@decide.on(AdvanceOpportunity)
def advance_opportunity(
    state: Engagement, command: AdvanceOpportunity, context: Context
) -> Iterable[Event]:
    """Move the opportunity, unless it already has this stage and probability."""
    require_open_sale(state)
    current = (state.pipeline_stage, state.probability)
    if current != (command.pipeline_stage, command.probability):
        yield OpportunityAdvanced(**dict(command))


@decide.on(RequestEstimate)
def request_estimate(
    state: Engagement, command: RequestEstimate, context: Context
) -> Iterable[Event]:
    """Request the estimate, unless it equals the last request.

    Raises Refused where the wanted finish is before today (UTC).
    """
    require_open_sale(state)
    require_adopted(state)
    event = EstimateRequested(**dict(command))
    if state.estimate_requested == event:
        return
    if command.wanted_finish and command.wanted_finish < context.today:
        raise Refused(
            "wanted-finish-passed", f"wanted_finish: {command.wanted_finish} is in the past"
        )
    yield event


@decide.on(LoseDeal)
def lose_deal(state: Engagement, command: LoseDeal, context: Context) -> Iterable[Event]:
    """Record the loss, at any stage before the deal is won; an equal repetition is harmless."""
    if state.lost and _is_repeated(state.lost, command):
        return
    require_open_sale(state)
    lost_on = past_day("lost_on", command.lost_on, context)
    yield DealLost(**{**dict(command), "lost_on": lost_on})


def _is_repeated(lost: DealLost, command: LoseDeal) -> bool:
    return {**dict(command), "lost_on": command.lost_on or lost.lost_on} == dict(lost)
