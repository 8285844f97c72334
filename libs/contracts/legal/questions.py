"""Define the events of questions that Legal asks and answers."""

from contracts.channels import LEGAL
from contracts.event import Event
from contracts.questions import AnsweredQuestion, AskedQuestion


class QuestionAsked(
    AskedQuestion, Event, channel=LEGAL, consumed_by=("sales", "delivery", "finance")
):
    """Legal asked another department or a contact of the customer a question.

    Published by Legal.
    """


class QuestionAnswered(
    AnsweredQuestion, Event, channel=LEGAL, consumed_by=("sales", "delivery", "finance")
):
    """Legal answered a question to it, or recorded the answer of a contact that it had asked.

    Published by Legal.
    """
