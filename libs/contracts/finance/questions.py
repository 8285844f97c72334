"""Define the events of questions that Finance asks and answers."""

from contracts.channels import FINANCE
from contracts.event import Event
from contracts.questions import AnsweredQuestion, AskedQuestion


class QuestionAsked(
    AskedQuestion, Event, channel=FINANCE, consumed_by=("sales", "legal", "delivery")
):
    """Finance asked another department or a contact of the customer a question.

    Published by Finance.
    """


class QuestionAnswered(
    AnsweredQuestion, Event, channel=FINANCE, consumed_by=("sales", "legal", "delivery")
):
    """Finance answered a question to it, or recorded the answer of a contact that it had asked.

    Published by Finance.
    """
