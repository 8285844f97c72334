"""Ask other departments and contacts of the customer, and answer."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from pydantic import Field

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Refused
from chassis.domain.context import Context
from chassis.domain.reference import require_contact
from chassis.domain.rules import past_day, same_day, unless_recorded
from common.engagement import CommonParts
from common.questions import work_items
from common.questions.state import KnownAnswer, KnownQuestion
from contracts import delivery, finance, legal, sales
from contracts.event import Event
from contracts.questions import Asked, Question, QuestionAnswer
from contracts.roles import Role
from contracts.values import AccountId, Day

E = TypeVar("E", bound=CommonParts)

QuestionAsked = (
    sales.QuestionAsked | legal.QuestionAsked | delivery.QuestionAsked | finance.QuestionAsked
)
QuestionAnswered = (
    sales.QuestionAnswered
    | legal.QuestionAnswered
    | delivery.QuestionAnswered
    | finance.QuestionAnswered
)

ASKED: dict[Asked, type[QuestionAsked]] = {
    "sales": sales.QuestionAsked,
    "legal": legal.QuestionAsked,
    "delivery": delivery.QuestionAsked,
    "finance": finance.QuestionAsked,
}
ANSWERED: dict[Asked, type[QuestionAnswered]] = {
    "sales": sales.QuestionAnswered,
    "legal": legal.QuestionAnswered,
    "delivery": delivery.QuestionAnswered,
    "finance": finance.QuestionAnswered,
}


class AskQuestion(Question, Command):
    """Ask another department, or a contact of the customer, and say by when you need the answer.

    The subject is given in words, with the document or the line of the contract where it is one.
    """

    asked_on: Day | None = Field(default=None, description="today unless given")


class AnswerQuestion(QuestionAnswer, Command):
    """Answer a question to your department, or record the answer of a contact that it asked."""

    answered_on: Day | None = Field(default=None, description="today unless given")


class QuestionView(ViewModel):
    """A question, and its answer; null while there is none."""

    asked: KnownQuestion
    answer: KnownAnswer | None


class QuestionFields(ViewModel):
    """The department's questions, and those to it, in the view of an engagement."""

    questions: tuple[QuestionView, ...]


def capability_of(
    state: type[E],
    *,
    department: Asked,
    by: tuple[Role, ...],
    owing: Role,
    account_of: Callable[[E], AccountId | None],
    require_open: Callable[[E], None],
) -> Capability[E]:
    """Return the capability for the engagements of a department, whose state is given.

    `by` are the roles that ask and answer, `owing` is the one that owes answers. `account_of`
    returns the customer's account, whose contacts may be asked. `require_open` refuses a question
    about an engagement that is over.
    """
    del state  # it only binds the type
    capability = Capability[E](__name__)
    own, of_contact = work_items.kinds(department, owing)
    capability.work((own, of_contact), lambda state: work_items.items(state, own, of_contact))

    @capability.decide(AskQuestion, by=by)
    def ask_question(state: E, command: AskQuestion, context: Context) -> Iterable[Event]:
        """Record the question; its id names the department, as another may ask at the same time.

        Raises Refused where the department asks itself, or the contact is not the customer's.
        """
        require_open(state)
        if command.to_department == department:
            raise Refused("addressee-is-self", f"to_department: {department} cannot ask itself")
        require_contact("to_contact", command.to_contact, account_of(state), context)
        day = past_day("asked_on", command.asked_on, context)
        name = context.new_id(f"Q-{department}")
        yield ASKED[department](**{**dict(command), "question": name, "asked_on": day})

    @capability.decide(AnswerQuestion, by=by)
    def answer_question(state: E, command: AnswerQuestion, context: Context) -> Iterable[Event]:
        """Record the answer; also after the engagement is over.

        Raises Refused where the question is unknown or another department has to answer it, where
        the day is before that of the question, or where another answer is recorded.
        """
        question = state.questions.asked.get(command.question)
        if question is None:
            raise Refused("question-unknown", f"there is no question {command.question}")
        if _owed_by(question) != department:
            sentence = f"{command.question} is a question that {_owed_by(question)} answers"
            raise Refused("question-not-addressed", sentence)
        known = _event_of(state.questions.answered.get(command.question))
        day = same_day("answered_on", command, known, context)
        if day < question.asked_on:
            raise Refused("date-before-question", f"it was asked on {question.asked_on}")
        contact = question.to_contact
        event = ANSWERED[department](
            **{
                **dict(command),
                "answered_on": day,
                "recorded_for": contact if contact != context.actor else None,
            }
        )
        yield from unless_recorded(known, event, f"the answer to {command.question}")

    @capability.view
    def questions_view(state: E) -> QuestionFields:
        """Return the department's questions, and those to it, oldest first."""
        concerning = (
            each
            for each in state.questions.asked.values()
            if department in {each.asked_by, each.to_department}
        )
        return QuestionFields(
            questions=tuple(
                QuestionView(asked=each, answer=state.questions.answered.get(each.question))
                for each in sorted(concerning, key=lambda each: (each.asked_on, each.question))
            )
        )

    return capability


def _owed_by(question: KnownQuestion) -> str:
    """Return the department that answers, or records the answer of the contact that it asked."""
    return question.to_department or question.asked_by


def _event_of(answer: KnownAnswer | None) -> QuestionAnswered | None:
    if answer is None:
        return None
    department = answer.answered_by
    if department == "gateway":
        raise TypeError("the gateway answers no questions")
    return ANSWERED[department](**answer.model_dump(exclude={"answered_by"}))
