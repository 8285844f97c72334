from typing import Any

import pytest
from pydantic import ValidationError

from contracts.delivery import SurveyAnswered, SurveySent
from delivery.surveys.decisions import AnswerSurvey, SendSurvey
from testkit.scenario import like
from tests.amounts import hours
from tests.unit.delivery.builders import PEOPLE, SURVEY_SENT, TODAY, WEEK, contact, released

SURVEY = SendSurvey(
    survey="S-1", kind="csat-and-nps", phase="Build", questions=SURVEY_SENT.questions
)
ANSWER = AnswerSurvey(
    survey="S-1", answered_by="cleo", satisfaction={"quality": 4, "timeliness": 5}, recommend=9
)
SENT = SURVEY_SENT


def survey(**different: Any) -> SendSurvey:
    return SendSurvey.model_validate(dict(SURVEY) | different)


def test_the_survey_goes_to_the_contacts() -> None:
    surveyed = released().when(SURVEY).then(SENT)
    surveyed.when(SURVEY).then_nothing()
    surveyed.when(survey(contacts=("cy",))).then_refused("already-recorded", fields={"contacts"})
    surveyed.when(survey(phase="Test")).then_refused("already-recorded", fields={"phase"})
    released().after(survey(contacts=("cy",))).when(SURVEY).then_nothing()
    unnamed = survey(survey=None, contacts=("cy",))
    surveyed.when(unnamed).then(like(SurveySent, contacts=("cy",)))


@pytest.mark.parametrize(
    ("who", "code"),
    [
        ("mara", "contact-unknown"),
        ("dev", "contact-unknown"),
        ("nobody", "contact-unknown"),
        ("oda", "contact-of-other-account"),
    ],
)
def test_only_contacts_of_the_account_are_asked_and_answer(who: str, code: Any) -> None:
    asked = survey(contacts=("cleo", who))
    released().when(asked).then_refused(code, fields=["contacts"], saying=who)
    recorded = released().published(SENT.model_copy(update={"contacts": (who,)}))
    answer = ANSWER.model_copy(update={"answered_by": who})
    recorded.when(answer).then_refused(code, fields=["answered_by"], saying=who)


def test_the_manager_does_not_answer_about_himself_as_a_contact() -> None:
    himself = released().knowing(*PEOPLE, contact("mara"))
    himself.when(survey(contacts=("mara",))).then_refused("contact-of-company")


def test_any_contact_answers_a_survey() -> None:
    answer = ANSWER.model_copy(update={"answered_by": "rea"})
    released().after(survey(contacts=("rea",))).when(answer).then_accepted()


def test_an_engagement_has_several_surveys_with_scores_of_their_own() -> None:
    second = survey(survey="S-2", kind="nps", phase="Operation", questions=())
    both = released().after(SURVEY).after(second)
    answer = AnswerSurvey(survey="S-2", answered_by="cleo", recommend=10)
    first, other = both.after(answer).view["surveys"]
    assert (first.customer_satisfaction, first.net_promoter_score) == (None, None)
    assert (other.customer_satisfaction, other.net_promoter_score) == (None, hours(100))


@pytest.mark.parametrize("wrong", [{"questions": ()}, {"kind": "nps"}, {"kind": "ces"}])
def test_a_survey_has_questions_unless_it_asks_only_for_a_recommendation(
    wrong: dict[str, Any],
) -> None:
    with pytest.raises(ValidationError):
        survey(**wrong)


def test_only_what_the_survey_asks_is_answered() -> None:
    csat = released().after(survey(kind="csat"))
    csat.when(ANSWER).then_refused("question-not-asked", saying="recommend")
    part = AnswerSurvey(survey="S-1", answered_by="cleo", satisfaction={"quality": 4})
    csat.when(part).then_accepted()
    other = part.model_copy(update={"satisfaction": {"price": 1}})
    csat.when(other).then_refused("question-not-asked", saying="price")


def test_each_contact_of_the_survey_answers_once() -> None:
    sent = released().published(SENT)
    answered = sent.when(ANSWER).then(
        SurveyAnswered(
            survey="S-1",
            answered_by="cleo",
            satisfaction={"quality": 4, "timeliness": 5},
            recommend=9,
            recorded_for="cleo",
            answered_on=TODAY,
        )
    )
    answered.when(ANSWER).then_nothing()
    answered.when(ANSWER.model_copy(update={"recommend": 3})).then_refused("already-recorded")
    sent.when(ANSWER.model_copy(update={"answered_by": "ann"})).then_refused("person-not-asked")
    released().when(ANSWER).then_refused("survey-unknown")


@pytest.mark.parametrize(
    "wrong",
    [
        {"satisfaction": {"quality": 6}},
        {"satisfaction": {"quality": "5"}},
        {"satisfaction": {}, "recommend": None},
        {"recommend": 11},
        {"recommend": -1},
    ],
)
def test_answers_are_within_their_scales(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        AnswerSurvey.model_validate(dict(ANSWER) | wrong)


def test_a_survey_shows_its_scores() -> None:
    asked = released().published(SENT.model_copy(update={"contacts": ("a", "b", "c", "d")}))
    empty_survey = asked.view["surveys"][0]
    assert empty_survey.customer_satisfaction is None
    assert empty_survey.net_promoter_score is None
    answered = asked.published(
        *(
            SurveyAnswered(
                survey="S-1",
                answered_by=who,
                satisfaction={"quality": score},
                recommend=recommend,
                answered_on=WEEK,
            )
            for who, score, recommend in (("a", 5, 10), ("b", 4, 8), ("c", 2, 6))
        )
    )
    scored = answered.view["surveys"][0]
    assert scored.customer_satisfaction == hours("66.67")
    assert scored.net_promoter_score == hours(0)  # one promoter, one detractor
    skipped = SurveyAnswered(
        survey="S-1", answered_by="d", satisfaction={"quality": 4}, answered_on=WEEK
    )
    more = answered.published(skipped).view["surveys"][0]
    assert more.customer_satisfaction == hours(75)
    assert more.net_promoter_score == hours(0)
