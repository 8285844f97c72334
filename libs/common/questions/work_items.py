"""State which questions a department has to answer, or a contact that it asked."""

from collections.abc import Iterator

from chassis.domain.work_items import ItemKind, WorkItem
from common.engagement import CommonParts
from contracts.questions import Asked
from contracts.roles import Role


def kinds(department: Asked, role: Role) -> tuple[ItemKind, ItemKind]:
    """Return the kind of the questions that a role answers, and of those that a contact does."""

    def kind(*, by_customer: bool) -> ItemKind:
        return ItemKind(
            "question-not-answered",
            department=department,
            role=role,
            command="answer-question",
            owed_to=department,
            by_customer=by_customer,
        )

    return kind(by_customer=False), kind(by_customer=True)


def items(state: CommonParts, own: ItemKind, of_contact: ItemKind) -> Iterator[WorkItem]:
    """Yield the questions without an answer: those to the department, and its own to contacts."""
    department = own.department
    for name, question in state.questions.asked.items():
        mine = question.to_department == department
        if name in state.questions.answered or not (mine or question.asked_by == department):
            continue
        if mine or question.to_contact:
            kind = own if mine else of_contact
            yield kind(
                name,
                f"{question.asked_by} asked about {question.about}"[:200],
                since=question.asked_on,
                due=question.due_on,
                person=question.to_contact,
            )
