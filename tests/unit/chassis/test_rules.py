"""The rules that decisions of every department share."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from chassis.domain.commands import Command, Refused
from chassis.domain.context import Context
from chassis.domain.rules import past_day, require_currency, same_day, unless_recorded
from contracts.event import Event
from contracts.finance import EstimateCosted
from contracts.legal import EngagementTerminated, SowSignatureRecorded
from contracts.money import Money
from contracts.sales import DealLost
from contracts.values import Signatory
from testkit.matchers import RecordsOf

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
CONTEXT = Context("ann", NOON, NOON, "step", RecordsOf([]), lambda: "event-1")
TODAY, TOMORROW = date(2026, 3, 2), date(2026, 3, 3)
TERMINATED = EngagementTerminated(
    reason="breach", comment=None, terminated_on=TODAY, decided_by="ann"
)


def at(hour: int, minute: int = 0, *, zone: tzinfo | None = None) -> Context:
    return replace(CONTEXT, occurred_at=NOON.replace(hour=hour, minute=minute), zone=zone)


def test_a_day_that_is_not_given_is_today_in_utc_or_in_the_known_zone() -> None:
    assert past_day("lost_on", None, at(23)) == TODAY
    assert past_day("lost_on", None, at(23, zone=ZoneInfo("Asia/Tokyo"))) == TOMORROW


def test_a_day_is_accepted_once_it_has_begun_somewhere_on_earth() -> None:
    assert past_day("lost_on", TOMORROW, at(10)) == TOMORROW
    with pytest.raises(Refused, match=r"^lost_on: 2026-03-03 is in the future$") as refused:
        past_day("lost_on", TOMORROW, at(9, 59))
    assert refused.value.code == "date-in-future"
    with pytest.raises(Refused):
        past_day("lost_on", TOMORROW + timedelta(days=1), at(23, 59))


def test_in_a_known_zone_only_its_own_day_counts() -> None:
    assert past_day("lost_on", TOMORROW, at(15, zone=ZoneInfo("Asia/Tokyo"))) == TOMORROW
    with pytest.raises(Refused):
        past_day("lost_on", TOMORROW, at(14, 59, zone=ZoneInfo("Asia/Tokyo")))
    with pytest.raises(Refused):
        past_day("lost_on", TODAY, at(4, zone=timezone(timedelta(hours=-5))))


def test_the_moment_of_the_act_counts_and_not_that_of_the_record() -> None:
    earlier = replace(CONTEXT, occurred_at=NOON - timedelta(days=30))
    with pytest.raises(Refused):
        past_day("lost_on", TODAY, earlier)


def test_an_event_is_recorded_once_and_an_equal_one_changes_nothing() -> None:
    assert list(unless_recorded(None, TERMINATED, "the event")) == [TERMINATED]
    assert list(unless_recorded(TERMINATED, TERMINATED.model_copy(), "the event")) == []


def test_what_is_over_is_not_recorded_again_whatever_its_content() -> None:
    over = Refused("change-decided", "it was rejected on 2026-03-01")
    assert list(unless_recorded(None, TERMINATED, "the event", over=over)) == [TERMINATED]
    for again in (TERMINATED.model_copy(), TERMINATED.model_copy(update={"reason": "mutual"})):
        with pytest.raises(Refused, match="rejected on 2026-03-01"):
            list(unless_recorded(TERMINATED, again, "the event", over=over))


def test_a_different_event_is_refused_with_each_field_that_differs() -> None:
    other = TERMINATED.model_copy(update={"reason": "mutual", "comment": "Agreed."})
    with pytest.raises(Refused) as refused:
        list(unless_recorded(TERMINATED, other, "the termination"))
    assert refused.value.code == "already-recorded"
    assert str(refused.value) == (
        "the termination is recorded with other content: reason: recorded as breach, given as"
        " mutual; comment: recorded as empty, given as Agreed."
    )
    assert [(item.code, item.field) for item in refused.value.missing] == [
        ("field-differs", "reason"),
        ("field-differs", "comment"),
    ]


def test_a_difference_that_cannot_be_seen_is_shown() -> None:
    known = TERMINATED.model_copy(update={"comment": "ZZ AB"})
    other = TERMINATED.model_copy(update={"comment": "ZZ\u00a0AB"})
    with pytest.raises(Refused, match=r"recorded as ZZ AB, given as ZZ\\u00a0AB$"):
        list(unless_recorded(known, other, "the termination"))


def test_values_of_a_confidential_event_are_not_shown() -> None:
    costed = EstimateCosted(
        estimate_version=1, cost=Money(amount=Decimal(71), currency="EUR"), margin=None
    )
    assert costed.channel.confidential
    other = costed.model_copy(update={"cost": Money(amount=Decimal(82), currency="EUR")})
    with pytest.raises(Refused) as refused:
        list(unless_recorded(costed, other, "the event"))
    assert [item.field for item in refused.value.missing] == ["cost"]
    shown = str(refused.value) + "".join(item.sentence for item in refused.value.missing)
    assert "cost: is recorded with another value" in shown
    assert "71" not in shown
    assert "82" not in shown


def test_events_of_two_types_are_not_compared() -> None:
    lost: Event = DealLost(reason="price", lost_on=TODAY)
    with pytest.raises(TypeError, match="EngagementTerminated is compared with DealLost"):
        list(unless_recorded(TERMINATED, lost, "the event"))


class Terminate(Command):
    terminated_on: date | None = None


def test_a_command_without_a_day_has_that_of_the_recorded_event() -> None:
    context = replace(CONTEXT, occurred_at=NOON + timedelta(days=7))
    field = "terminated_on"
    assert same_day(field, Terminate(), None, context) == date(2026, 3, 9)
    assert same_day(field, Terminate(), TERMINATED, context) == TERMINATED.terminated_on
    given = Terminate(terminated_on=date(2026, 3, 8))
    assert same_day(field, given, TERMINATED, context) == date(2026, 3, 8)
    before = replace(CONTEXT, occurred_at=NOON - timedelta(days=30))
    assert same_day(field, Terminate(), TERMINATED, before) == TERMINATED.terminated_on
    late = Terminate(terminated_on=date(2026, 3, 11))
    with pytest.raises(Refused, match="terminated_on: 2026-03-11 is in the future"):
        same_day(field, late, TERMINATED, context)


def test_a_long_value_is_shortened() -> None:
    other = TERMINATED.model_copy(update={"comment": "x" * 4000})
    with pytest.raises(Refused) as refused:
        list(unless_recorded(TERMINATED, other, "the event"))
    assert len(str(refused.value)) < 250
    assert str(refused.value).endswith("x…")


def test_a_nested_value_is_shown_as_json() -> None:
    signed = SowSignatureRecorded(
        version=1,
        content_hash="sha256:" + "0" * 64,
        signatory=Signatory(party="customer", person="cleo", signed_on=TODAY),
    )
    other = signed.signatory.model_copy(update={"person": "carl"})
    with pytest.raises(Refused, match=r'"person":"cleo".*given as \{.*"person":"carl"'):
        list(unless_recorded(signed, signed.model_copy(update={"signatory": other}), "the event"))


def test_an_amount_in_another_currency_is_refused_by_its_field() -> None:
    euro = Money(amount=Decimal(1), currency="EUR")
    require_currency("EUR", price=euro, cap=None)
    require_currency(None, price=euro)
    with pytest.raises(Refused, match=r"^price: is in EUR") as refused:
        require_currency("USD", cap=None, price=euro)
    assert refused.value.code == "currency-differs"
