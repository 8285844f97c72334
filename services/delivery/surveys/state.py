"""State of the surveys."""

from typing import Self

from chassis.domain.state import Part, on_event
from contracts.delivery import SurveyAnswered, SurveySent
from contracts.values import Value


class Survey(Value):
    """A survey as it was sent, and its answers by contact."""

    sent: SurveySent
    answers: dict[str, SurveyAnswered] = {}


class Surveys(Part):
    """The surveys by id."""

    by_id: dict[str, Survey] = {}

    @on_event
    def _sent(self, event: SurveySent) -> Self:
        return self.updated(by_id={**self.by_id, event.survey: Survey(sent=event)})

    @on_event
    def _answered(self, event: SurveyAnswered) -> Self:
        known = self.by_id[event.survey]
        answers = {**known.answers, event.answered_by: event}
        survey = known.model_copy(update={"answers": answers})
        return self.updated(by_id={**self.by_id, event.survey: survey})
