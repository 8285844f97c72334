"""Define questions and answers between departments and to the customer.

Each department publishes its own `QuestionAsked` and `QuestionAnswered` on its own channel.
"""

from typing import Literal, Self

from pydantic import model_validator

from contracts.values import (
    ContactId,
    CustomerAct,
    Day,
    DocumentHash,
    Identifier,
    RecordedAct,
    ShortText,
    Text,
    Value,
)

Asked = Literal["sales", "legal", "delivery", "finance"]
"""A department that is asked."""


class Question(Value):
    """A question to a department or to a contact of the customer."""

    text: Text
    """The question itself."""
    about: ShortText
    """Subject of the question, in words."""
    document: DocumentHash | None = None
    """Hash of the document that the question is about; null where it is about none."""
    line: Identifier | None = None
    """Id of the line of the contract that the question is about; null where it is about none."""
    to_department: Asked | None = None
    """Department that is asked; null where a contact is."""
    to_contact: ContactId | None = None
    """Contact of the customer who is asked; null where a department is."""
    due_on: Day
    """Day by which the answer is needed."""

    @model_validator(mode="after")
    def _to_one(self) -> Self:
        if (self.to_department is None) == (self.to_contact is None):
            raise ValueError("either to_department or to_contact is needed")
        return self


class AskedQuestion(Question):
    """A question that was asked."""

    question: Identifier
    """Id of the question, unique within the engagement across all departments."""
    asked_on: Day
    """Day on which it was asked."""


class QuestionAnswer(CustomerAct):
    """The answer to a question; `evidence` and `recorded_for` are those of a contact's answer."""

    question: Identifier
    """Id of the question, which another department may have asked on its own channel."""
    answer: Text
    """The answer itself."""


class AnsweredQuestion(QuestionAnswer, RecordedAct):
    """An answer that was given."""

    answered_on: Day
    """Day on which it was answered."""
