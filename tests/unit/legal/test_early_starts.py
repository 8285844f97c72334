from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from pydantic import ValidationError

from contracts.legal import (
    EarlyStartAuthorised,
    EarlyStartExpired,
    EngagementTerminated,
    SowSignatureRecorded,
    SowSigned,
)
from contracts.sales import DealLost
from contracts.values import LAST_DAY
from legal.early_starts.decisions import AuthoriseEarlyStart
from legal.engagement import Engagement
from legal.signing.decisions import RecordSignature
from testkit.scenario import Scenario, like
from tests.amounts import eur
from tests.unit.legal.builders import FILE, TODAY, V1, filed, opened, sent, signature, signed

LAST = date(2026, 3, 31)
AUTHORISE = AuthoriseEarlyStart(
    cap_hours=Decimal(80), expires_on=LAST, reason="The customer's licences end in April."
)
AUTHORISED = EarlyStartAuthorised.model_validate({**AUTHORISE.model_dump(), "starts_on": TODAY})
NAME = "early-start-2026-03-31"


def early() -> Scenario[Engagement]:
    """Return an engagement with an early start until LAST."""
    return filed().published(AUTHORISED, by="carl")


def test_an_early_start_has_a_cap_and_a_last_day():
    begun = filed().when(AUTHORISE, by="carl").then(AUTHORISED)
    begun.then_deadlines(early_start_2026_03_31=datetime(2026, 4, 1, tzinfo=UTC))
    assert [each.authorised_by for each in begun.view["early_starts"]] == ["carl"]
    begun.on(LAST).when(AUTHORISE).then_nothing()


def test_it_expires_at_the_end_of_its_last_day():
    over = early().when_deadline(NAME).then(EarlyStartExpired(expired_on=LAST))
    over.then_deadlines()


@pytest.mark.parametrize("ended", ["signed", "terminated", "lost"])
def test_it_does_not_expire_after_contract_termination_or_loss(ended: str):
    end = {
        "signed": sent().published(
            AUTHORISED,
            SowSigned(version=1, content_hash=V1.content_hash, signatories=(), signed_on=TODAY),
        ),
        "terminated": early().published(EngagementTerminated(reason="mutual", terminated_on=TODAY)),
        "lost": early().consumed(DealLost(reason="price", lost_on=TODAY)),
    }
    end[ended].then_deadlines()


MORE = AUTHORISE.model_copy(update={"cap_hours": Decimal(40), "expires_on": date(2026, 4, 15)})


def test_a_second_one_may_be_authorised_while_the_first_is_in_force():
    # The first cap may be spent, which Legal cannot know: Delivery adds up the caps.
    both = (
        early()
        .when(MORE)
        .then(like(EarlyStartAuthorised, cap_hours=Decimal(40), expires_on=date(2026, 4, 15)))
    )
    both.then_deadlines(
        early_start_2026_03_31=date(2026, 4, 1), early_start_2026_04_15=date(2026, 4, 16)
    )
    for repeated in (AUTHORISE, MORE):
        both.when(repeated).then_nothing()
    one_over = both.when_deadline(NAME).then(EarlyStartExpired(expired_on=LAST))
    one_over.then_deadlines(early_start_2026_04_15=date(2026, 4, 16))
    both.on(LAST).when(MORE.model_copy(update={"expires_on": LAST})).then_refused(
        "expiry-not-in-future"
    )


def test_two_with_the_same_last_day_expire_together():
    both = early().after(AUTHORISE.model_copy(update={"cap_hours": Decimal(40)}))
    both.then_deadlines(
        early_start_2026_03_31=date(2026, 4, 1), early_start_2026_03_31_2=date(2026, 4, 1)
    )
    both.when_deadline(NAME).then(EarlyStartExpired(expired_on=LAST)).then_deadlines()
    # A command that occurred before the deadline but is recorded after it: the first deadline
    # does not fire again.
    expired = early().when_deadline(NAME).after.on(TODAY)
    late = expired.after(AUTHORISE.model_copy(update={"cap_hours": Decimal(40)}))
    late.then_deadlines(early_start_2026_03_31_2=date(2026, 4, 1))
    late.when_deadline(f"{NAME}-2").then(EarlyStartExpired(expired_on=LAST))


def test_an_equal_command_for_an_earlier_day_changes_nothing_after_expiry():
    early().when_deadline(NAME).after.on(TODAY).when(AUTHORISE).then_nothing()


def test_the_next_one_first_records_an_expiry_that_the_deadline_has_not():
    later = AUTHORISE.model_copy(update={"expires_on": date(2026, 4, 30)})
    following = like(EarlyStartAuthorised, expires_on=date(2026, 4, 30))
    april = early().on(date(2026, 4, 1))
    again = april.when(later).then(EarlyStartExpired(expired_on=LAST), following)
    again.then_deadlines(early_start_2026_04_30=date(2026, 5, 1))
    april.published(EarlyStartExpired(expired_on=LAST)).when(later).then(following)


def test_a_later_signature_first_records_the_expiry():
    half = sent().published(
        AUTHORISED,
        SowSignatureRecorded(
            version=1, content_hash=V1.content_hash, signatory=signature("company")
        ),
    )
    sign = RecordSignature(party="customer", person="zoe", content_hash=V1.content_hash)
    half.on(LAST).when(sign).then(like(SowSignatureRecorded), like(SowSigned))
    half.on(date(2026, 4, 1)).when(sign).then(
        like(SowSignatureRecorded), EarlyStartExpired(expired_on=LAST), like(SowSigned)
    )


def test_it_requires_a_file_a_future_day_and_no_contract():
    opened().when(AUTHORISE).then_refused("file-not-open")
    filed().on(LAST).when(AUTHORISE).then_refused("expiry-not-in-future")
    early().on(date(2026, 4, 1)).when(AUTHORISE).then_refused("expiry-not-in-future")
    signed().when(AUTHORISE).then_refused("sow-signed")
    filed().consumed(DealLost(reason="price", lost_on=TODAY)).when(AUTHORISE).then_refused(
        "engagement-over"
    )


def test_the_latest_possible_day_is_accepted():
    forever = AUTHORISE.model_copy(update={"expires_on": LAST_DAY})
    filed().after(forever).then_deadlines(early_start_2999_12_31=date(3000, 1, 1))


def test_the_cap_may_be_an_amount_in_the_currency_of_the_engagement():
    amount = AuthoriseEarlyStart(cap_amount=eur(9_000), expires_on=LAST, reason="Urgent.")
    begun = (
        filed()
        .when(amount)
        .then(
            EarlyStartAuthorised(
                cap_amount=eur(9_000), starts_on=TODAY, expires_on=LAST, reason="Urgent."
            )
        )
    )
    [shown] = begun.view["early_starts"]
    assert (shown.cap_hours, shown.cap_amount) == (None, eur(9_000))
    both = amount.model_copy(update={"cap_hours": Decimal(80)})
    filed().when(both).then(like(EarlyStartAuthorised, cap_hours=Decimal(80)))
    dollars = amount.model_copy(update={"cap_amount": eur(9_000, "USD")})
    filed().when(dollars).then_refused("currency-differs", saying="cap_amount")
    opened().published(FILE).when(dollars).then_refused("currency-differs", saying="cap_amount")


@pytest.mark.parametrize("cap", [{}, {"cap_amount": {"amount": "0", "currency": "EUR"}}])
def test_work_before_the_signature_is_always_capped(cap: dict[str, object]):
    with pytest.raises(ValidationError, match="cap_amount"):
        AuthoriseEarlyStart.model_validate({**cap, "expires_on": "2026-03-31", "reason": "Urgent"})


@pytest.mark.parametrize("hours", ["0", "-1", "NaN", "0.001", "1e9"])
def test_the_cap_is_a_number_of_hours(hours: str):
    with pytest.raises(ValidationError):
        AuthoriseEarlyStart.model_validate(
            {"cap_hours": hours, "expires_on": "2026-03-31", "reason": "Urgent"}
        )


def test_work_of_days_before_is_authorised_where_the_first_day_says_so():
    earlier = AUTHORISE.model_copy(update={"starts_on": date(2026, 2, 2)})
    begun = filed().when(earlier).then(like(EarlyStartAuthorised, starts_on=date(2026, 2, 2)))
    for repeated in (earlier, AUTHORISE):
        begun.on(LAST).when(repeated).then_nothing()
    [shown] = begun.view["early_starts"]
    assert shown.starts_on == date(2026, 2, 2)
    later = AUTHORISE.model_copy(update={"starts_on": LAST})
    begun.when(later).then(like(EarlyStartAuthorised, starts_on=LAST))
    never = AUTHORISE.model_copy(update={"starts_on": date(2026, 4, 1)})
    filed().when(never).then_refused("finish-before-start")
