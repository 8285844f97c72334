"""Define the events of surveys of the customer's satisfaction."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from contracts.channels import DELIVERY
from contracts.event import Event
from contracts.values import (
    AsNumber,
    ContactId,
    CustomerAct,
    Day,
    DistinctBy,
    Identifier,
    RecordedAct,
    ShortText,
    Text,
    Value,
)

SurveyKind = Literal["csat", "nps", "csat-and-nps"]


class SurveyQuestion(Value):
    """A question that is answered by a score from 1 (worst) to 5 (best)."""

    question: Identifier
    """Id of the question within the survey."""
    text: ShortText
    """The question as the customer reads it."""


class SurveyForm(Value):
    """The questions of a survey of the customer's satisfaction."""

    kind: SurveyKind
    """`csat`: the questions, for the customer satisfaction score. `nps`: the likelihood of a
    recommendation, for the net promoter score. `csat-and-nps`: both.
    """
    phase: ShortText
    """Phase of the engagement that the survey is about."""
    questions: Annotated[
        tuple[SurveyQuestion, ...], Field(max_length=50), DistinctBy("question")
    ] = ()
    """Questions; at least one unless the kind is `nps`, and then none."""

    @model_validator(mode="after")
    def _of_its_kind(self) -> Self:
        if (self.kind == "nps") == bool(self.questions):
            raise ValueError("questions are needed where kind is not nps, and only there")
        return self


class SurveySent(SurveyForm, Event, channel=DELIVERY):
    """A satisfaction survey was sent to people of the customer. Published by Delivery.

    An engagement may have several.
    """

    survey: Identifier
    """Id of the survey within the engagement."""
    contacts: Annotated[tuple[ContactId, ...], Field(max_length=200)]
    """Contacts of the account who are asked."""
    sent_on: Day
    """Day on which it was sent."""


Score = Annotated[int, Field(ge=1, le=5), AsNumber]
"""Answer to a question of a survey, from 1 (worst) to 5 (best)."""


class SurveyAnswer(CustomerAct):
    """The answers of a person of the customer to a survey; at least one."""

    survey: Identifier
    """Id of the survey within the engagement."""
    answered_by: ContactId
    """Contact of the account who answered."""
    satisfaction: Annotated[dict[Identifier, Score], Field(max_length=50)] = Field(default={})
    """Score from 1 (worst) to 5 (best) by question, for the customer satisfaction score (CSAT).

    A question that was not answered is left out.
    """
    recommend: Annotated[int, Field(ge=0, le=10), AsNumber] | None = None
    """Likelihood of a recommendation from 0 to 10, for the net promoter score (NPS).

    Null where it was not answered.
    """
    comment: Text | None = None
    """Remark in the person's own words; null where there is none."""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.satisfaction and self.recommend is None:
            raise ValueError("satisfaction or recommend is needed")
        return self


class SurveyAnswered(SurveyAnswer, RecordedAct, Event, channel=DELIVERY, consumed_by=("sales",)):
    """A person of the customer answered a survey. Published by Delivery."""

    answered_on: Day
    """Day of the answer."""
