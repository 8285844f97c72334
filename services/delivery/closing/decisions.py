"""Record go-live, survey and post-implementation review, and close the engagement."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from chassis.domain.commands import Command, Missing, Refused, gate
from chassis.domain.context import Context
from contracts.delivery import (
    EngagementClosed,
    PirHeld,
    Score,
    SolutionWentLive,
    SurveyAnswered,
    SurveySent,
)
from contracts.event import Event
from contracts.values import AsNumber, Day, Identifier, PersonId, ShortText, Text
from delivery.policies import day_of, once, require_active, require_open
from delivery.state import ZERO, Engagement, Survey, Timesheet, decide


class GoLive(Command):
    """Record the day from which the customer uses the solution."""

    live_on: Day | None = None


class SendSurvey(Command):
    """Send a survey to the opportunity's contacts, unless other people are named."""

    survey: Identifier | None = None
    contacts: Annotated[tuple[PersonId, ...], Field(max_length=200)] = ()
    sent_on: Day | None = None


class AnswerSurvey(Command):
    """Record one person's answers: 1 to 5 by question, and 0 to 10 for the recommendation."""

    survey: Identifier
    answered_by: PersonId
    satisfaction: Annotated[dict[Identifier, Score], Field(min_length=1, max_length=50)]
    recommend: Annotated[int, Field(ge=0, le=10), AsNumber]
    comment: Text | None = None
    answered_on: Day | None = None


class HoldPir(Command):
    """Record the post-implementation review: what went well and what did not.

    The sold and delivered hours are added from the state.
    """

    held_on: Day | None = None
    went_well: Annotated[tuple[ShortText, ...], Field(max_length=100)]
    went_badly: Annotated[tuple[ShortText, ...], Field(max_length=100)]


class CloseEngagement(Command):
    """Close the engagement; nothing may be owed by any party any more."""

    closed_on: Day | None = None


@decide.on(GoLive)
def go_live(state: Engagement, command: GoLive, context: Context) -> Iterator[Event]:
    """Record the go-live; it needs a kickoff.

    Raises Refused where there was no kickoff, or the solution went live on another day.
    """
    require_active(state)
    if state.kickoff is None:
        raise Refused("work-not-begun", "the work has not begun: there was no kickoff")
    day = day_of(context, command.live_on or (state.live.live_on if state.live else None))
    sentence = "the solution went live on another day"
    yield from once(state.live, SolutionWentLive(live_on=day), "already-recorded", sentence)


@decide.on(SendSurvey)
def send_survey(state: Engagement, command: SendSurvey, context: Context) -> Iterator[Event]:
    """Record the survey; also for a terminated engagement.

    Raises Refused where there are no contacts, or the id belongs to a survey with other data.
    """
    require_open(state, after_termination=True)
    opened = state.deal.opened
    contacts = command.contacts or (opened.contacts if opened else ())
    if not contacts:
        raise Refused("contacts-missing", "the opportunity has no contacts: name the contacts")
    survey = command.survey or context.new_id("S")
    known = state.surveys.get(survey)
    event = SurveySent(
        survey=survey,
        contacts=tuple(dict.fromkeys(contacts)),
        sent_on=day_of(context, command.sent_on or (known.sent.sent_on if known else None)),
    )
    sentence = f"survey {survey} was sent with other data"
    yield from once(known.sent if known else None, event, "already-recorded", sentence)


@decide.on(AnswerSurvey)
def answer_survey(state: Engagement, command: AnswerSurvey, context: Context) -> Iterator[Event]:
    """Record the answers of one contact, once; also after the engagement is closed.

    Raises Refused where the survey is unknown, the person is not one of its contacts, or the person
    has given other answers.
    """
    known = _survey(state, command.survey)
    if command.answered_by not in known.sent.contacts:
        sentence = f"{command.answered_by} is not a contact of survey {command.survey}"
        raise Refused("person-not-asked", sentence)
    answered = known.answers.get(command.answered_by)
    day = day_of(context, command.answered_on or (answered.answered_on if answered else None))
    event = SurveyAnswered(answered_on=day, **command.model_dump(exclude={"answered_on"}))
    yield from once(answered, event, "already-recorded", f"{command.answered_by} answered already")


def _survey(state: Engagement, survey: str) -> Survey:
    known = state.surveys.get(survey)
    if known is None:
        raise Refused("survey-unknown", f"no survey {survey} was sent")
    return known


@decide.on(HoldPir)
def hold_pir(state: Engagement, command: HoldPir, context: Context) -> Iterator[Event]:
    """Record the review with sold and delivered hours; also after a termination.

    Raises Refused where the deal was not won, or a different review is recorded.
    """
    require_open(state, after_termination=True)
    sold, known = state.sold_estimate, state.pir
    if sold is None:
        sentence = "Delivery has not received a won deal that is based on one of its estimates"
        gate("deal-not-won", [Missing("deal-not-won", sentence, "sales")])
        return
    event = PirHeld(
        held_on=day_of(context, command.held_on or (known.held_on if known else None)),
        went_well=command.went_well,
        went_badly=command.went_badly,
        sold_hours=sold.hours,
        delivered_hours=state.timesheet.approved_hours,
    )
    yield from once(known, event, "already-recorded", "the review was held already")


@decide.on(CloseEngagement)
def close_engagement(
    state: Engagement, command: CloseEngagement, context: Context
) -> Iterator[Event]:
    """Close the engagement if gate 7 is open: everything accepted, settled, reviewed and decided.

    Hours that await approval keep the gate closed, since nothing can be approved after closing.
    Raises Refused where the gate is closed, or the engagement was closed on another day.
    """
    closed = state.closed
    day = day_of(context, command.closed_on or (closed.closed_on if closed else None))
    if closed and closed.closed_on == day:
        return
    require_open(state)
    gate("engagement-not-closable", unfinished(state))
    yield EngagementClosed(
        closed_on=day,
        sold_hours=state.sold_estimate.hours if state.sold_estimate else ZERO,
        delivered_hours=state.timesheet.approved_hours,
    )


def unfinished(state: Engagement) -> Iterator[Missing]:
    """Yield what is missing before the engagement may be closed (gate 7).

    A signed amendment that is not in the budget counts, even if the account is settled: the amended
    budget reopens the account.
    """
    for name, deliverable in state.owed.items():
        submission = state.submissions.get(name)
        if submission is None or submission.accepted is None:
            how = "not accepted" if submission else "not submitted"
            sentence = f"deliverable {name} ({deliverable.title}) is {how}"
            yield Missing("deliverable-not-accepted", sentence, "delivery")
    for change, amendment in state.contract.amendments.items():
        if change not in state.ledger.amended:
            sentence = f"amendment {amendment.amendment} is signed and not in the budget"
            yield Missing("budget-not-amended", sentence, "finance")
    if state.ledger.settled is None:
        yield Missing("account-not-settled", "the account is not settled", "finance")
    elif state.ledger.bills_time:
        yield from _approved_since_settlement(state)
    if state.timesheet.waiting:
        yield _time_waiting(state.timesheet)
    for issue in state.raid.open_issues:
        sentence = f"issue {issue.item} ({issue.title}) is open"
        yield Missing("issue-open", sentence, "delivery")
    if state.pir is None:
        yield Missing("pir-not-held", "no post-implementation review was held", "delivery")
    if not state.surveys:
        yield Missing("survey-not-sent", "no survey was sent to the customer", "delivery")


def _approved_since_settlement(state: Engagement) -> Iterator[Missing]:
    """Yield what is missing if billable work was approved that the settlement did not include.

    Finance had not processed its approval when it settled, so it may still have to be billed.
    """
    heard = state.ledger.settled_heard
    since = [hours for approval, hours in state.billable.items() if approval > heard]
    if since:
        hours = sum(since, ZERO)
        work = f"{hours} hours" if hours else "expenses"
        sentence = f"the account was settled without {work} that were approved since"
        yield Missing("account-not-settled", f"{sentence}: settle it again", "finance")


def _time_waiting(sheet: Timesheet) -> Missing:
    hours: dict[str, Decimal] = {}
    for entry in sheet.waiting.values():
        hours[entry.person] = hours.get(entry.person, ZERO) + entry.hours
    number = len(sheet.waiting)
    entries = f"{number} time entries wait" if number > 1 else "1 time entry waits"
    by_person = ", ".join(f"{total} hours of {person}" for person, total in hours.items())
    return Missing("time-waiting", f"{entries} for approval: {by_person}", "delivery")
