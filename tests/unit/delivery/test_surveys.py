import pytest
from pydantic import ValidationError

from contracts.delivery import SurveyAnswered, SurveySent
from delivery.surveys.decisions import AnswerSurvey, SendSurvey
from testkit.scenario import like
from tests.unit.delivery.builders import TODAY, WEEK, hours, released

SURVEY = SendSurvey(survey="S-1")
ANSWER = AnswerSurvey(
    survey="S-1", answered_by="cleo", satisfaction={"quality": 4, "timeliness": 5}, recommend=9
)
SENT = SurveySent(survey="S-1", contacts=("cleo", "cy"), sent_on=TODAY)


def test_the_survey_goes_to_the_contacts() -> None:
    surveyed = released().when(SURVEY).then(SENT)
    surveyed.when(SURVEY).then_nothing()
    surveyed.when(SendSurvey(survey="S-1", contacts=("cy",))).then_refused("already-recorded")
    released().after(SendSurvey(survey="S-1", contacts=("cy",))).when(SURVEY).then_nothing()
    surveyed.when(SendSurvey(contacts=("cy",))).then(like(SurveySent, contacts=("cy",)))


def test_each_contact_of_the_survey_answers_once() -> None:
    sent = released().published(SENT)
    answered = sent.when(ANSWER).then(
        SurveyAnswered(
            survey="S-1",
            answered_by="cleo",
            satisfaction={"quality": 4, "timeliness": 5},
            recommend=9,
            answered_on=TODAY,
        )
    )
    answered.when(ANSWER).then_nothing()
    answered.when(ANSWER.model_copy(update={"recommend": 3})).then_refused("already-recorded")
    sent.when(ANSWER.model_copy(update={"answered_by": "ann"})).then_refused("person-not-asked")
    released().when(ANSWER).then_refused("survey-unknown")


@pytest.mark.parametrize(
    "wrong",
    [{"satisfaction": {"quality": 6}}, {"satisfaction": {}}, {"recommend": 11}, {"recommend": -1}],
)
def test_answers_are_within_their_scales(wrong) -> None:
    with pytest.raises(ValidationError):
        AnswerSurvey.model_validate(dict(ANSWER) | wrong)


def test_a_survey_shows_its_scores() -> None:
    asked = released().published(SurveySent(survey="S-1", contacts=("a", "b", "c"), sent_on=WEEK))
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
    survey = answered.view["surveys"][0]
    assert survey.customer_satisfaction == hours("66.67")
    assert survey.net_promoter_score == hours(0)  # one promoter, one detractor
