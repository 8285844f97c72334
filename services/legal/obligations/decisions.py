"""Record obligations of the contract and their fulfilment, and correct wrong records of them."""

from collections.abc import Iterable

from pydantic import Field

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Refused, refused_field
from chassis.domain.context import Context
from chassis.domain.reference import require_contact, require_record
from chassis.domain.rules import correction_day, past_day, same_day, unless_recorded
from contracts.event import Event
from contracts.legal import (
    Obligation,
    ObligationCorrection,
    ObligationFulfilment,
    ObligationItem,
    ObligationMet,
    ObligationRecorded,
    ObligationReopened,
    ObligationWithdrawn,
)
from contracts.reference import PersonPublished
from contracts.values import Day
from legal.engagement import Engagement
from legal.obligations import work_items
from legal.policies import require_open
from legal.roles import CONTRACTS

capability = Capability[Engagement](__name__)
capability.work(work_items.KINDS, work_items.items)


class RecordObligation(Obligation, Command):
    """Record what the signed contract obliges a party to; it gets an id.

    While it is open, the engagement cannot be closed (gate 7).
    """

    recorded_on: Day | None = Field(default=None, description="today unless given")


class MeetObligation(ObligationFulfilment, Command):
    """Record that the party that owes an obligation met it."""

    met_on: Day | None = Field(default=None, description="today unless given")


class ReopenObligation(ObligationCorrection, Command):
    """Take back the record that an obligation was met; it is open again."""

    reopened_on: Day | None = Field(default=None, description="today unless given")


class WithdrawObligation(ObligationCorrection, Command):
    """Withdraw an obligation that was recorded by mistake; it is owed no more."""

    withdrawn_on: Day | None = Field(default=None, description="today unless given")


@capability.decide(RecordObligation, by=CONTRACTS)
def record_obligation(
    state: Engagement, command: RecordObligation, context: Context
) -> Iterable[Event]:
    """Record the obligation; also after a termination, which may leave some.

    An open one with the same content is not recorded again. Raises Refused where no contract is
    signed, the document is not a signed one, or the person is not one of the party that owes it.
    """
    require_open(state, after_termination=True)
    terms = {name: getattr(command, name) for name in Obligation.model_fields}
    if any({**dict(each), **terms} == dict(each) for each in state.obligations.open):
        return
    _require_signed(state, command)
    _require_person(state, command, context)
    yield ObligationRecorded(
        **terms,
        obligation=context.new_id("OB"),
        recorded_on=past_day("recorded_on", command.recorded_on, context),
    )


def _require_signed(state: Engagement, command: RecordObligation) -> None:
    """Refuse a document that is neither the signed statement of work nor a signed amendment."""
    if state.contract is None:
        raise Refused("sow-not-signed", "no statement of work is signed, so that nothing is owed")
    amendments = (each.signed for each in state.amendments.by_id.values())
    hashes = {state.contract.content_hash, *(each.content_hash for each in amendments if each)}
    if command.document not in hashes:
        sentence = (
            f"document: {command.document} is neither the signed statement of work "
            f"({state.contract.content_hash}) nor a signed amendment"
        )
        raise refused_field("document-not-signed", "document", sentence)


def _require_person(state: Engagement, command: RecordObligation, context: Context) -> None:
    """Refuse a person who is not on record as one of the party that owes the obligation."""
    if command.owed_by == "customer":
        require_contact("person", command.person, state.file.account, context)
    else:
        require_record("person-unknown", "person", PersonPublished, command.person, context)


@capability.decide(MeetObligation, by=CONTRACTS)
def meet_obligation(
    state: Engagement, command: MeetObligation, context: Context
) -> Iterable[Event]:
    """Record the fulfilment; also after the engagement is over.

    Raises Refused where the obligation is unknown or withdrawn, or was met with other data.
    """
    _valid(state, command.obligation)
    known = state.obligations.met.get(command.obligation)
    day = same_day("met_on", command, known, context)
    event = ObligationMet(**{**dict(command), "met_on": day})
    yield from unless_recorded(known, event, f"the fulfilment of {command.obligation}")


@capability.decide(ReopenObligation, by=CONTRACTS)
def reopen_obligation(
    state: Engagement, command: ReopenObligation, context: Context
) -> Iterable[Event]:
    """Open the obligation again; also after a termination.

    Raises Refused where it is unknown, withdrawn or not met, or where the engagement is closed.
    """
    require_open(state, after_termination=True)
    known = _valid(state, command.obligation)
    met = state.obligations.met.get(command.obligation)
    if met is None:
        sentence = f"{command.obligation} is not recorded as met, or is open again"
        raise Refused("obligation-not-met", sentence)
    terms = {name: getattr(known, name) for name in ObligationItem.model_fields}
    yield ObligationReopened(
        **terms,
        why=command.why,
        met_on=met.met_on,
        reopened_on=correction_day("reopened_on", command, met.met_on, context),
    )


@capability.decide(WithdrawObligation, by=CONTRACTS)
def withdraw_obligation(
    state: Engagement, command: WithdrawObligation, context: Context
) -> Iterable[Event]:
    """Withdraw the obligation, met or not; also after the engagement is over.

    Raises Refused where it is unknown, or was withdrawn with other data.
    """
    known = state.obligations.withdrawn.get(command.obligation)
    if known:
        day = same_day("withdrawn_on", command, known, context)
    else:
        recorded_on = _valid(state, command.obligation).recorded_on
        day = correction_day("withdrawn_on", command, recorded_on, context)
    event = ObligationWithdrawn(**{**dict(command), "withdrawn_on": day})
    yield from unless_recorded(known, event, f"the withdrawal of {command.obligation}")


def _valid(state: Engagement, obligation: str) -> ObligationRecorded:
    """Return an obligation; raises Refused where it is unknown or withdrawn."""
    known = state.obligations.recorded.get(obligation)
    if known is None:
        raise Refused("obligation-unknown", f"no obligation {obligation} is recorded")
    withdrawn = state.obligations.withdrawn.get(obligation)
    if withdrawn:
        sentence = f"{obligation} was withdrawn on {withdrawn.withdrawn_on}"
        raise Refused("obligation-withdrawn", sentence)
    return known


class ObligationView(ViewModel):
    """An obligation, and its fulfilment; null while it is open."""

    recorded: ObligationRecorded
    met: ObligationMet | None


class ObligationFields(ViewModel):
    """The obligations in the view of an engagement, without those that were withdrawn."""

    obligations: tuple[ObligationView, ...]


@capability.view
def obligations_view(state: Engagement) -> ObligationFields:
    """Return the obligations for the view of an engagement."""
    known = state.obligations
    return ObligationFields(
        obligations=tuple(
            ObligationView(recorded=each, met=known.met.get(each.obligation))
            for each in known.valid
        )
    )


class ObligationRow(ViewModel):
    """The open obligations in the list of engagements; a day is written YYYY-MM-DD.

    `next_obligation` is the first due day, null where no open obligation has one.
    """

    open_obligations: int
    next_obligation: str | None


@capability.row
def obligations_row(state: Engagement) -> ObligationRow:
    """Return the number of open obligations, and their first due day."""
    due = [each.due_on for each in state.obligations.open if each.due_on]
    return ObligationRow(
        open_obligations=len(state.obligations.open),
        next_obligation=str(min(due)) if due else None,
    )
