"""Decide on opportunities: open, adopt, update, qualify, advance, lose, reopen."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Annotated

from pydantic import Field

from chassis.base.view_model import SortedWithin, ViewModel, whole
from chassis.domain.authority import require_staff
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Missing, Refused, gate
from chassis.domain.context import Context
from chassis.domain.reference import account_zone
from chassis.domain.rules import correction_day, require_currency, same_day, unless_recorded
from contracts.decimals import canonical_decimal, round_decimal
from contracts.event import Event
from contracts.money import Money, NotNegativeMoney
from contracts.reference import AccountPublished
from contracts.sales import (
    DealLost,
    DealReopened,
    EstimateRequested,
    EstimateScope,
    Loss,
    OpportunityAdvanced,
    OpportunityDetails,
    OpportunityImported,
    OpportunityImportUpdated,
    OpportunityOpened,
    OpportunityQualified,
    OpportunityUpdated,
    PipelinePosition,
    Qualification,
)
from contracts.values import AccountId, Correction, Day, Percent, PersonId, ShortText
from sales.engagement import Engagement, Stage
from sales.opportunity import work_items
from sales.policies import ended, require_adopted, require_not_ended, require_open_sale
from sales.roles import SELLERS

capability = Capability[Engagement](__name__)
capability.work(work_items.KINDS, work_items.items)


class OpenOpportunity(OpportunityDetails, Command):
    """Open an opportunity for a published account; this creates the engagement."""


class AdoptOpportunity(Command):
    """Adopt an opportunity that was imported as open, so that other departments can work on it.

    A field that is not given keeps its imported value; a value that the CRM did not have is
    required.
    """

    account: AccountId | None = None
    title: ShortText | None = None
    contacts: Annotated[tuple[PersonId, ...], Field(max_length=50)] = ()
    expected_value: NotNegativeMoney | None = None
    expected_close: Day | None = None
    owner: PersonId | None = None


class UpdateOpportunity(OpportunityDetails, Command):
    """Replace the details of an opportunity; all of them are given, not only what changed.

    The account and the currency stay. Once the deal is won, so do the expected value and close.
    """


class QualifyOpportunity(Qualification, Command):
    """Record whether budget, authority, need and timing are confirmed, with a score of 0 to 100.

    May be repeated while the sale is open; the latest qualification applies.
    """


class AdvanceOpportunity(PipelinePosition, Command):
    """Move the opportunity to a pipeline stage, forward or back; `probability` is in percent."""


class RequestEstimate(EstimateScope, Command):
    """Request an estimate from Delivery for this scope, these deliverables and the wanted finish.

    A further request with other content asks for a new estimate.
    """


class LoseDeal(Loss, Command):
    """Record that the deal is lost, with the reason and, where known, the competitor that won it.

    A customer who does not decide is a reason, too (`no-decision`).
    """

    lost_on: Day | None = Field(default=None, description="today unless given")


class ReopenDeal(Correction, Command):
    """Open a lost deal again: the customer came back, or the loss was recorded by mistake.

    A deal that was lost in the CRM from which it was imported is reopened, too.
    """

    reopened_on: Day | None = Field(default=None, description="today unless given")


@capability.decide(OpenOpportunity, by=SELLERS, prefix="E")
def open_opportunity(
    state: Engagement, command: OpenOpportunity, context: Context
) -> Iterable[Event]:
    """Open the opportunity; a repeated, equal command changes nothing.

    Raises Refused where it already exists with different content or is over, the account is not
    published, the owner is not a person of the company today, or the expected close is in the past.
    """
    known = state.opportunity
    if known.opened is None and known.imported:
        raise Refused("opportunity-imported", "this opportunity was imported: adopt it instead")
    event = OpportunityOpened(**dict(command))
    for new in unless_recorded(known.opened, event, "the opportunity", over=ended(state)):
        _require_openable(new, context)
        yield new


@capability.decide(AdoptOpportunity, by=SELLERS)
def adopt_opportunity(
    state: Engagement, command: AdoptOpportunity, context: Context
) -> Iterable[Event]:
    """Open the imported opportunity; a repeated, equal command changes nothing.

    Raises Refused where it was not imported or is over, a value is missing or in another currency,
    and where OpenOpportunity would be refused.
    """
    known = state.opportunity
    imported = known.imported
    if imported is None:
        raise Refused("opportunity-not-imported", "this opportunity was not imported")
    if known.opened is None:
        require_open_sale(state)
    before = known.opened or imported
    account = command.account or before.account
    value = command.expected_value or known.expected_value
    closes = command.expected_close or known.expected_close
    if account is None or value is None or closes is None:
        missing = _missing(account=account, expected_value=value, expected_close=closes)
        gate("adoption-incomplete", missing)
        return
    event = OpportunityOpened(
        account=account,
        title=command.title or before.title,
        contacts=command.contacts or (known.opened.contacts if known.opened else ()),
        expected_value=value,
        expected_close=closes,
        owner=command.owner or before.owner,
        region=before.region,
    )
    for new in unless_recorded(known.opened, event, "the opportunity", over=ended(state)):
        require_currency(known.currency, expected_value=value)
        _require_openable(new, context)
        yield new


@capability.decide(UpdateOpportunity, by=SELLERS)
def update_opportunity(
    state: Engagement, command: UpdateOpportunity, context: Context
) -> Iterable[Event]:
    """Record the new details, unless they equal the known ones.

    Raises Refused where the engagement is over, the opportunity was imported and not adopted,
    account or currency differ, an agreed value or close would change, a new owner is not a person
    of the company today, or a new expected close is before today.
    """
    require_not_ended(state)
    require_adopted(state)
    known = state.opportunity.details
    if known is None or known == command.details:
        return
    if command.account != known.account:
        raise Refused(
            "account-differs",
            f"account: the engagement is for {known.account}; lose it and open another one",
        )
    require_currency(known.expected_value.currency, expected_value=command.expected_value)
    moved = command.expected_close != known.expected_close
    if state.proposals.won and (moved or command.expected_value != known.expected_value):
        raise Refused("deal-won", "expected_value and expected_close: the deal is already won")
    if command.owner != known.owner:
        require_staff("owner", command.owner, context.today, context)
    if moved:
        _require_to_come(command.expected_close, context)
    yield OpportunityUpdated(**dict(command))


def _require_openable(event: OpportunityOpened, context: Context) -> None:
    """Refuse an unknown account or owner, and an expected close before the account's today."""
    if context.reference_data.latest(AccountPublished, event.account) is None:
        raise Refused(
            "account-unknown",
            f"account: no account {event.account!r} is published; publish it first",
        )
    zone = account_zone(event.account, context.reference_data, context.today)
    there = replace(context, zone=zone)
    require_staff("owner", event.owner, there.today, there)
    _require_to_come(event.expected_close, there)


def _require_to_come(expected_close: date, context: Context) -> None:
    if expected_close < context.today:
        raise Refused("expected-close-passed", f"expected_close: {expected_close} is in the past")


def _missing(**fields: object) -> Iterable[Missing]:
    for field, value in fields.items():
        if value is None:
            sentence = f"{field}: the CRM had no value, so it must be given"
            yield Missing("field-missing", sentence, "sales", field=field)


@capability.decide(QualifyOpportunity, by=SELLERS)
def qualify_opportunity(
    state: Engagement, command: QualifyOpportunity, context: Context
) -> Iterable[Event]:
    """Record the qualification, unless it equals the last one."""
    require_open_sale(state)
    event = OpportunityQualified(**dict(command))
    if state.opportunity.qualified != event:
        yield event


@capability.decide(AdvanceOpportunity, by=SELLERS)
def advance_opportunity(
    state: Engagement, command: AdvanceOpportunity, context: Context
) -> Iterable[Event]:
    """Move the opportunity, unless it already has this stage and probability."""
    require_open_sale(state)
    known = state.opportunity
    if (known.pipeline_stage, known.probability) != (command.pipeline_stage, command.probability):
        yield OpportunityAdvanced(**dict(command))


@capability.decide(RequestEstimate, by=SELLERS)
def request_estimate(
    state: Engagement, command: RequestEstimate, context: Context
) -> Iterable[Event]:
    """Request the estimate, unless it equals the last request.

    Raises Refused where the wanted finish is before today.
    """
    require_open_sale(state)
    require_adopted(state)
    event = EstimateRequested(**dict(command))
    if state.opportunity.estimate_requested == event:
        return
    if command.wanted_finish and command.wanted_finish < context.today:
        raise Refused(
            "wanted-finish-passed", f"wanted_finish: {command.wanted_finish} is in the past"
        )
    yield event


@capability.decide(LoseDeal, by=SELLERS)
def lose_deal(state: Engagement, command: LoseDeal, context: Context) -> Iterable[Event]:
    """Record the loss, at any stage before the deal is won; an equal repetition is harmless."""
    lost = state.opportunity.lost
    if lost is None:
        require_open_sale(state)
    day = same_day("lost_on", command, lost, context)
    event = DealLost(**{**dict(command), "lost_on": day})
    yield from unless_recorded(lost, event, "the loss")


@capability.decide(ReopenDeal, by=SELLERS)
def reopen_deal(state: Engagement, command: ReopenDeal, context: Context) -> Iterable[Event]:
    """Open the deal again, at the stage that it had before the loss.

    Raises Refused where the deal is not lost, or the day is before the loss.
    """
    opportunity = state.opportunity
    if state.stage != "lost":
        raise Refused("deal-not-lost", "the deal is not lost, or was reopened")
    imported_on = opportunity.imported.closed_on if opportunity.imported else None
    lost_on = opportunity.lost.lost_on if opportunity.lost else imported_on
    day = correction_day("reopened_on", command, lost_on, context)
    yield DealReopened(why=command.why, lost_on=lost_on, reopened_on=day)


class OpportunityFields(ViewModel):
    """The opportunity in the view of an engagement."""

    engagement: str
    account: AccountId | None
    title: str | None
    owner: PersonId | None
    contacts: tuple[PersonId, ...]
    stage: Stage
    probability: Percent | None
    expected_value: Money | None
    expected_close: date | None
    next_step: ShortText | None
    region: ShortText | None
    kind_of_work: ShortText | None
    opened_on: date | None
    imported: OpportunityImported | None
    import_updated: OpportunityImportUpdated | None
    qualified: OpportunityQualified | None
    estimate_requested: EstimateRequested | None
    lost: DealLost | None


@capability.view
def opportunity_view(state: Engagement) -> OpportunityFields:
    """Return the opportunity for the view of an engagement."""
    opportunity = state.opportunity
    details = opportunity.details
    return OpportunityFields(
        engagement=state.engagement,
        account=opportunity.account,
        title=opportunity.known.title if opportunity.known else None,
        owner=opportunity.owner,
        contacts=details.contacts if details else (),
        stage=state.stage,
        probability=opportunity.probability,
        expected_value=opportunity.expected_value,
        expected_close=opportunity.expected_close,
        next_step=details.next_step if details else None,
        region=opportunity.region,
        kind_of_work=details.kind_of_work if details else None,
        opened_on=opportunity.opened_on,
        imported=opportunity.imported,
        import_updated=opportunity.import_updated,
        qualified=opportunity.qualified,
        estimate_requested=opportunity.estimate_requested,
        lost=opportunity.lost,
    )


class OpportunityRow(ViewModel):
    """The columns of the opportunity in the list of engagements.

    Days are written YYYY-MM-DD, and the value is a decimal in the currency. For sorting by it,
    `expected_value_rounded` is in whole units of the currency (at most 2^53 - 1): rows are sorted
    by currency first. The probability is a decimal in percent, and `probability_rounded` in whole
    percent for sorting. `open_in_crm` names the CRM in which the deal is open by the last import
    that had it, and `external_id` is its id there.
    """

    account: str | None
    title: str | None
    owner: str | None
    stage: str
    opened_on: str | None
    expected_close: str | None
    region: str | None
    kind_of_work: str | None
    expected_value: str | None
    expected_value_rounded: Annotated[int | None, SortedWithin("currency")]
    currency: str | None
    probability: str | None
    probability_rounded: int | None
    external_id: str | None
    open_in_crm: str | None
    imported: bool


@capability.row
def opportunity_row(state: Engagement) -> OpportunityRow:
    """Return the columns of the opportunity in the list of engagements."""
    opportunity, won = state.opportunity, state.proposals.won
    value = won.price if won else opportunity.expected_value
    closes = opportunity.expected_close
    probability, crm = opportunity.probability, opportunity.in_crm
    return OpportunityRow(
        account=opportunity.account,
        title=opportunity.known.title if opportunity.known else None,
        owner=opportunity.owner,
        stage=state.stage,
        opened_on=str(opportunity.opened_on) if opportunity.opened_on else None,
        expected_close=str(closes) if closes else None,
        region=opportunity.region,
        kind_of_work=opportunity.details.kind_of_work if opportunity.details else None,
        expected_value=canonical_decimal(value.amount) if value else None,
        expected_value_rounded=whole(value.amount) if value else None,
        currency=value.currency if value else None,
        probability=None if probability is None else canonical_decimal(probability),
        probability_rounded=None if probability is None else int(round_decimal(probability, 0)),
        external_id=crm.external_id if crm else None,
        open_in_crm=crm.source if crm and crm.outcome == "open" else None,
        imported=opportunity.imported is not None,
    )
