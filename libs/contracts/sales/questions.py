"""Define the events of questions that Sales asks and answers."""

from contracts.channels import SALES
from contracts.event import Event
from contracts.questions import AnsweredQuestion, AskedQuestion


class QuestionAsked(
    AskedQuestion, Event, channel=SALES, consumed_by=("legal", "delivery", "finance")
):
    """Sales asked another department or a contact of the customer a question.

    Published by Sales.
    """


class QuestionAnswered(
    AnsweredQuestion, Event, channel=SALES, consumed_by=("legal", "delivery", "finance")
):
    """Sales answered a question to it, or recorded the answer of a contact that it had asked.

    Published by Sales.
    """
