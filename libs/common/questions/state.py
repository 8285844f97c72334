"""State of the questions, from the events of all departments."""

from typing import Self

from chassis.domain.state import Part, on_event
from contracts import delivery, finance, legal, sales
from contracts.channels import Department
from contracts.questions import AnsweredQuestion, AskedQuestion


class KnownQuestion(AskedQuestion):
    """A question, and the department that asked it."""

    asked_by: Department


class KnownAnswer(AnsweredQuestion):
    """An answer, and the department that recorded it."""

    answered_by: Department


class Questions(Part):
    """The questions and the answers by the id of the question.

    The answer of another department may be processed before the question of a third one.
    """

    asked: dict[str, KnownQuestion] = {}
    answered: dict[str, KnownAnswer] = {}

    @on_event
    def _asked(
        self,
        event: sales.QuestionAsked
        | legal.QuestionAsked
        | delivery.QuestionAsked
        | finance.QuestionAsked,
    ) -> Self:
        known = KnownQuestion(**dict(event), asked_by=event.channel.department)
        return self.updated(asked={**self.asked, event.question: known})

    @on_event
    def _answered(
        self,
        event: sales.QuestionAnswered
        | legal.QuestionAnswered
        | delivery.QuestionAnswered
        | finance.QuestionAnswered,
    ) -> Self:
        known = KnownAnswer(**dict(event), answered_by=event.channel.department)
        return self.updated(answered={**self.answered, event.question: known})
