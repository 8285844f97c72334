"""Keep the surveys of the customer, and their answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from contracts import delivery
from contracts.event import Recorded
from gateway.formatting import day, listed, number, words
from gateway.view.sections.sentences import if_given
from gateway.view.sections.steps import PartSteps, Ref, ref


@dataclass(slots=True)
class Survey:
    """A survey, who answered it, and all answers: 1 to 5 by question, and 0 to 10."""

    kind: str
    phase: str
    sent_on: date
    contacts: list[str]
    said: Ref
    answered_by: list[str] = field(default_factory=list)
    satisfaction: list[int] = field(default_factory=list)
    recommend: list[int] = field(default_factory=list)


class Fields(Protocol):
    """Fields of the section that these steps change."""

    surveys: dict[str, Survey]


steps = PartSteps[Fields]()


def _scores(satisfaction: Mapping[str, int]) -> str:
    return listed(f"{words(topic)} {score} of 5" for topic, score in satisfaction.items())


steps.describe(
    delivery.SurveySent,
    lambda event, names: (
        f"Survey ({words(event.kind)}) about {event.phase} sent"
        f"{if_given(' to {}', listed(map(names.person, event.contacts)))} on {day(event.sent_on)}."
    ),
)


@steps.on(delivery.SurveySent)
def _survey(section: Fields, recorded: Recorded[delivery.SurveySent]) -> None:
    event = recorded.event
    section.surveys[event.survey] = Survey(
        event.kind, event.phase, event.sent_on, list(event.contacts), ref(recorded)
    )


steps.describe(
    delivery.SurveyAnswered,
    lambda event, names: (
        f"{names.person(event.answered_by)} answered survey {event.survey}"
        f"{if_given(': {}', event.satisfaction, _scores)}"
        f"{if_given('; would recommend {} of 10', event.recommend, number)}."
        f"{if_given(' “{}”', event.comment)}"
    ),
)


@steps.on(delivery.SurveyAnswered)
def _answered(section: Fields, recorded: Recorded[delivery.SurveyAnswered]) -> None:
    event = recorded.event
    survey = section.surveys.get(event.survey)
    if survey is None:
        return
    survey.answered_by.append(event.answered_by)
    survey.satisfaction.extend(event.satisfaction.values())
    if event.recommend is not None:
        survey.recommend.append(event.recommend)
