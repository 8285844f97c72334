"""State which contacts owe the answer to a survey."""

from collections.abc import Iterator

from chassis.domain.work_items import ItemKind, WorkItem
from delivery.engagement import Engagement

ANSWER = ItemKind(
    "survey-not-answered",
    department="delivery",
    role="engagement-manager",
    command="answer-survey",
    owed_to="delivery",
    by_customer=True,
)
KINDS = (ANSWER,)


def items(state: Engagement) -> Iterator[WorkItem]:
    """Yield each contact who has not answered a survey, until the engagement is over."""
    for survey, sent in state.surveys.sent.items():
        for contact in sent.contacts:
            if contact not in state.surveys.answers.get(survey, {}) and not state.is_over:
                yield ANSWER(
                    f"{survey}/{contact}",
                    f"{contact} has not answered survey {survey}",
                    since=sent.sent_on,
                    person=contact,
                    to_person=state.manager,
                )
