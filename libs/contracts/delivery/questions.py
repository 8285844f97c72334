"""Define the events of questions that Delivery asks and answers."""

from contracts.channels import DELIVERY
from contracts.event import Event
from contracts.questions import AnsweredQuestion, AskedQuestion


class QuestionAsked(
    AskedQuestion, Event, channel=DELIVERY, consumed_by=("sales", "legal", "finance")
):
    """Delivery asked another department or a contact of the customer a question.

    Published by Delivery.
    """


class QuestionAnswered(
    AnsweredQuestion, Event, channel=DELIVERY, consumed_by=("sales", "legal", "finance")
):
    """Delivery answered a question to it, or recorded the answer of a contact that it had asked.

    Published by Delivery.
    """
