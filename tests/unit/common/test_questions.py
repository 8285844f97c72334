"""Test questions and answers in all four departments, which share the capability."""

from datetime import date
from importlib import import_module
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from common.engagement import CommonParts
from common.questions.decisions import ANSWERED, ASKED, AnswerQuestion, AskQuestion
from contracts import delivery, sales
from contracts.legal import EngagementTerminated
from contracts.questions import Asked
from contracts.reference import ContactPublished
from testkit.scenario import Scenario, given, like, permutations_agree
from tests.unit.delivery.builders import HASH, OPENED
from tests.unit.legal.builders import V1 as SOW

TODAY, LATER = date(2026, 4, 8), date(2026, 4, 10)
DEPARTMENTS: tuple[Asked, ...] = get_args(Asked)
CONTACTS = [
    ContactPublished(contact="cleo", name="Cleo", account="acme"),
    ContactPublished(contact="oda", name="Oda", account="other"),
]


def opened(department: Asked) -> Scenario[CommonParts]:
    """Return an engagement in a department, whose opportunity is opened in Sales."""
    decider = import_module(f"{department}.service").ENGAGEMENT
    scenario = given(decider, "E-0000000000001", records=CONTACTS).on(TODAY)
    return scenario.published(OPENED) if department == "sales" else scenario.consumed(OPENED)


def other_than(department: Asked) -> Asked:
    return DEPARTMENTS[(DEPARTMENTS.index(department) + 1) % len(DEPARTMENTS)]


def ask(**different: Any) -> AskQuestion:
    usual = {"text": "Who signs?", "about": "Parties", "to_department": "legal", "due_on": LATER}
    return AskQuestion.model_validate(usual | different)


def asked(by: Asked, **different: Any) -> Any:
    usual = {**dict(ask()), "question": "Q-1", "asked_on": TODAY}
    return ASKED[by].model_validate(usual | different)


def answered(by: Asked, **different: Any) -> Any:
    usual = {"question": "Q-1", "answer": "The board.", "answered_on": TODAY}
    return ANSWERED[by].model_validate(usual | different)


ANSWER = AnswerQuestion(question="Q-1", answer="The board.")


@pytest.mark.parametrize("department", DEPARTMENTS)
def test_a_department_asks_and_another_answers(department: Asked) -> None:
    to = other_than(department)
    question = ask(to_department=to, document=HASH, line="L-1")
    opened(department).when(question).then_refused("document-unknown", fields={"document"})
    outcome = opened(department).uploaded(HASH).when(question)
    scenario = outcome.then(like(ASKED[department], to_department=to, asked_on=TODAY))
    (waiting,) = scenario.view["questions"]
    assert (waiting.asked.asked_by, waiting.answer) == (department, None)
    (event,) = outcome.events
    theirs = opened(to).consumed(event)
    (shown,) = theirs.view["questions"]
    assert shown == waiting
    answer = ANSWER.model_copy(update={"question": waiting.asked.question})
    given_answer = theirs.when(answer).then(
        answered(to, question=waiting.asked.question, recorded_for=None)
    )
    given_answer.when(answer).then_nothing()
    given_answer.when(answer.model_copy(update={"answer": "Nobody."})).then_refused(
        "already-recorded", fields={"answer"}
    )
    (back,) = scenario.consumed(answered(to, question=waiting.asked.question)).view["questions"]
    assert back.answer is not None
    assert (back.answer.answered_by, back.answer.answer) == (to, "The board.")


@pytest.mark.parametrize("department", DEPARTMENTS)
def test_a_department_asks_others_and_contacts_of_the_account(department: Asked) -> None:
    scenario = opened(department)
    scenario.when(ask(to_department=department)).then_refused("addressee-is-self")
    contact = ask(to_department=None, to_contact="cleo")
    scenario.when(contact).then(like(ASKED[department], to_contact="cleo"))
    unknown = contact.model_copy(update={"to_contact": "nobody"})
    scenario.when(unknown).then_refused("contact-unknown")
    other = contact.model_copy(update={"to_contact": "oda"})
    scenario.when(other).then_refused("contact-of-other-account")
    future = ask(to_department=other_than(department), asked_on=date(2026, 4, 20))
    scenario.when(future).then_refused("date-in-future")


@pytest.mark.parametrize("department", DEPARTMENTS)
def test_the_department_that_asked_a_contact_records_the_answer_for_them(
    department: Asked,
) -> None:
    question = asked(department, to_department=None, to_contact="cleo")
    waiting = opened(department).published(question)
    proved = ANSWER.model_copy(update={"evidence": HASH})
    waiting.when(proved).then_refused("document-unknown", fields={"evidence"}, saying=HASH)
    waiting.uploaded(HASH).when(proved).then(
        answered(department, recorded_for="cleo", evidence=HASH)
    )
    waiting.when(ANSWER, by="cleo").then(answered(department))
    elsewhere = opened(other_than(department)).consumed(question)
    elsewhere.when(ANSWER).then_refused("question-not-addressed", saying=department)


def test_only_the_department_that_is_asked_answers_and_not_before_the_question() -> None:
    waiting = opened("legal").consumed(asked("sales"))
    early = ANSWER.model_copy(update={"answered_on": date(2026, 4, 7)})
    waiting.when(early).then_refused("date-before-question")
    opened("legal").when(ANSWER).then_refused("question-unknown")
    opened("delivery").consumed(asked("sales")).when(ANSWER).then_refused(
        "question-not-addressed", saying="legal"
    )
    opened("delivery").consumed(asked("sales")).then_view(questions=())


@pytest.mark.parametrize("department", DEPARTMENTS)
def test_a_question_may_name_a_statement_of_work_that_the_department_has_heard_of(
    department: Asked,
) -> None:
    about = ask(to_department=other_than(department), document=SOW.content_hash)
    scenario = opened(department)
    scenario.when(about).then_refused("document-unknown", fields={"document"})
    own = department == "legal"
    informed = scenario.published(SOW) if own else scenario.consumed(SOW)
    informed.when(about).then(like(ASKED[department], document=SOW.content_hash))


def test_questions_of_an_engagement_that_is_over_are_answered_and_none_are_asked() -> None:
    ended = EngagementTerminated(reason="mutual", terminated_on=TODAY)
    over = opened("delivery").consumed(asked("sales", to_department="delivery"), ended)
    over.when(ANSWER).then_accepted()
    over.when(ask()).then_refused("engagement-over")


def test_a_third_department_may_process_the_answer_before_the_question() -> None:
    permutations_agree(
        opened("finance"),
        sales.QuestionAsked.model_validate(dict(asked("sales", to_department="delivery"))),
        delivery.QuestionAnswered.model_validate(dict(answered("delivery"))),
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"to_contact": "cleo"},
        {"to_department": None},
        {"to_department": "gateway"},
        {"text": ""},
        {"due_on": None},
    ],
)
def test_a_question_has_one_addressee_a_text_and_a_day(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ask(**wrong)


def test_a_state_with_questions_can_be_stored() -> None:
    state = opened("legal").consumed(asked("sales"), answered("delivery")).state
    assert type(state).model_validate_json(state.model_dump_json()) == state


@pytest.mark.parametrize("department", DEPARTMENTS)
def test_a_question_is_owed_by_who_is_asked_until_it_is_answered(department: Asked) -> None:
    by = other_than(department)
    waits = opened(department).consumed(asked(by, to_department=department))
    waits.then_work("question-not-answered", "Q-1", since=TODAY, due=LATER, person=None)
    waits.after(ANSWER).then_work("question-not-answered")
    opened(by).published(asked(by, to_department=department)).then_work("question-not-answered")
    contact = asked(department, to_department=None, to_contact="cleo")
    of_contact = opened(department).published(contact)
    of_contact.then_work("question-not-answered", "Q-1", person="cleo")
    [item] = [each for each in of_contact.work if each.about == "Q-1"]
    assert item.owed_by.department == "customer"
