"""State of the surveys."""

from typing import Annotated, Self

from chassis.domain.state import Keep, Part, on_event
from contracts.delivery import SurveyAnswered, SurveySent


class Surveys(Part):
    """The surveys by id, and the answers by survey and person."""

    sent: Annotated[dict[str, SurveySent], Keep("survey")] = {}
    answers: dict[str, dict[str, SurveyAnswered]] = {}

    @on_event
    def _answered(self, event: SurveyAnswered) -> Self:
        answers = {**self.answers.get(event.survey, {}), event.answered_by: event}
        return self.updated(answers={**self.answers, event.survey: answers})
