"""Send surveys, and record the answers of the customer's people."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Refused
from chassis.domain.context import Context
from chassis.domain.rules import same_day, unless_recorded
from contracts.delivery import SurveyAnswer, SurveyAnswered, SurveyForm, SurveySent
from contracts.event import Event
from contracts.survey_scores import csat_of, nps_of
from contracts.values import ComputedPercent, ContactId, Day, Identifier
from delivery.engagement import Engagement
from delivery.policies import recorded_for, require_customer, require_open
from delivery.roles import MANAGERS
from delivery.surveys import work_items

capability = Capability[Engagement](__name__)
capability.work(work_items.KINDS, work_items.items)


class SendSurvey(SurveyForm, Command):
    """Send a survey to the opportunity's contacts, unless other contacts of the account are named.

    Each survey is about a phase and has a kind: satisfaction (CSAT), recommendation (NPS) or both.
    """

    survey: Identifier | None = None
    contacts: Annotated[tuple[ContactId, ...], Field(max_length=200)] = ()
    sent_on: Day | None = Field(default=None, description="today unless given")


class AnswerSurvey(SurveyAnswer, Command):
    """Record one person's answers: 1 to 5 by question, and 0 to 10 for the recommendation.

    A question without an answer is left out.
    """

    answered_on: Day | None = Field(default=None, description="today unless given")


@capability.decide(SendSurvey, by=MANAGERS)
def send_survey(state: Engagement, command: SendSurvey, context: Context) -> Iterable[Event]:
    """Record the survey; also for a terminated engagement.

    Raises Refused where there are no contacts, where somebody is not a contact of the account, or
    where the id belongs to a survey with other data.
    """
    require_open(state, after_termination=True)
    survey = command.survey or context.new_id("S")
    recorded = state.surveys.sent.get(survey)
    asked = recorded or state.deal.opened
    contacts = command.contacts or (asked.contacts if asked else ())
    if not contacts:
        raise Refused("contacts-missing", "the opportunity has no contacts: name the contacts")
    event = SurveySent(
        survey=survey,
        kind=command.kind,
        phase=command.phase,
        questions=command.questions,
        contacts=tuple(dict.fromkeys(contacts)),
        sent_on=same_day("sent_on", command, recorded, context),
    )
    for new in unless_recorded(recorded, event, f"survey {survey}"):
        for contact in new.contacts:
            require_customer(state, "contacts", contact, context)
        yield new


@capability.decide(AnswerSurvey, by=MANAGERS)
def answer_survey(state: Engagement, command: AnswerSurvey, context: Context) -> Iterable[Event]:
    """Record the answers of one contact, once; also after the engagement is closed.

    Raises Refused where the survey is unknown or does not ask what is answered, the person is not
    one of its contacts or not a contact of the account, or has given other answers.
    """
    person, sent = command.answered_by, state.surveys.sent.get(command.survey)
    if sent is None:
        raise Refused("survey-unknown", f"no survey {command.survey} was sent")
    if person not in sent.contacts:
        sentence = f"{person} is not a contact of survey {command.survey}"
        raise Refused("person-not-asked", sentence)
    _require_asked(sent, command)
    recorded = state.surveys.answers.get(command.survey, {}).get(person)
    day = same_day("answered_on", command, recorded, context)
    on_behalf = recorded_for(context, person)
    event = SurveyAnswered(**{**dict(command), "answered_on": day, "recorded_for": on_behalf})
    for new in unless_recorded(recorded, event, f"the answer of {person}"):
        require_customer(state, "answered_by", person, context)
        yield new


def _require_asked(sent: SurveySent, answer: SurveyAnswer) -> None:
    asked = {each.question for each in sent.questions}
    unknown = sorted(answer.satisfaction.keys() - asked)
    if answer.recommend is not None and sent.kind == "csat":
        unknown.append("recommend")
    if unknown:
        sentence = f"survey {sent.survey} does not ask {', '.join(unknown)}"
        raise Refused("question-not-asked", sentence)


class SurveyView(ViewModel):
    """Survey, its answers, and its scores in percent; None until there is an answer.

    CSAT: share of answers of 4 or 5. NPS: share of 9-10 less share of 0-6, from -100 to 100.
    """

    sent: SurveySent
    answers: tuple[SurveyAnswered, ...]
    customer_satisfaction: ComputedPercent | None
    net_promoter_score: ComputedPercent | None


class SurveyFields(ViewModel):
    """The surveys in the view of an engagement."""

    surveys: tuple[SurveyView, ...]


@capability.view
def surveys_view(state: Engagement) -> SurveyFields:
    """Return the surveys for the view of an engagement."""
    surveys = state.surveys
    return SurveyFields(
        surveys=tuple(
            _view(sent, tuple(surveys.answers.get(survey, {}).values()))
            for survey, sent in surveys.sent.items()
        )
    )


def _view(sent: SurveySent, answers: tuple[SurveyAnswered, ...]) -> SurveyView:
    scores = [score for answer in answers for score in answer.satisfaction.values()]
    recommend = [answer.recommend for answer in answers if answer.recommend is not None]
    return SurveyView(
        sent=sent,
        answers=answers,
        customer_satisfaction=csat_of(scores),
        net_promoter_score=nps_of(recommend),
    )
