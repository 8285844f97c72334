"""Parked records: the reason that is shown, the proof of a gap, and the order of retries."""

import logging
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.base.telemetry import JsonLines
from chassis.domain.stream import Gap
from chassis.kafka.batch_processor import alarm
from chassis.kafka.consumer_settings import Arrival
from chassis.kafka.parked_record import ParkedRecord, in_sequence, not_proven, trouble_of
from contracts.channels import DELIVERY, FINANCE, FINANCE_CONFIDENTIAL, LEGAL, SALES, Channel
from contracts.values import Margin
from tests.component.sample_department import NOW, assigned

MOMENT = datetime(2026, 3, 2, 9, tzinfo=UTC)
SECRET = Decimal("870.12345678901234567")


def wrong_margin() -> Exception:
    cost = {"amount": SECRET, "currency": "EUR"}
    with pytest.raises(ValueError, match="Margin") as wrong:
        Margin.model_validate({"revenue": cost, "cost": cost, "margin": None})
    return wrong.value


def wrong_sum() -> Exception:
    with pytest.raises(ArithmeticError) as wrong:
        SECRET / 0
    return ArithmeticError(f"cannot divide {SECRET} EUR").with_traceback(wrong.tb)


@pytest.mark.parametrize("error", [wrong_margin(), wrong_sum()])
@pytest.mark.parametrize("channel", [FINANCE, FINANCE_CONFIDENTIAL])
def test_a_bug_is_shown_and_logged_by_its_kind_and_place(
    error: Exception, channel: Channel, caplog: pytest.LogCaptureFixture
) -> None:
    """Values computed from an open event may be confidential, too."""
    trouble, _ = trouble_of(error, channel)
    arrival = Arrival("topic", 0, 0, "E-1", channel, b"")
    with caplog.at_level(logging.ERROR):
        alarm("sales", arrival, trouble, error)
    logged = "".join(map(JsonLines("sales").format, caplog.records))
    assert "870.12" not in trouble.sentence + logged
    assert trouble.sentence.startswith(type(error).__name__)
    assert "line " in trouble.sentence
    assert "Traceback" in logged


def test_a_validation_error_names_the_field_and_not_its_value() -> None:
    trouble, _ = trouble_of(wrong_margin(), FINANCE)
    assert trouble.sentence.startswith("ValidationError: Margin: revenue.amount: ")
    assert "870.12" not in trouble.sentence
    assert "870.12" not in str(wrong_margin())


def test_a_gap_names_the_expected_number() -> None:
    trouble, expected = trouble_of(Gap(assigned("E-1", 3), 2), DELIVERY)
    assert (trouble.code, expected) == ("gap", 2)
    assert trouble.sentence == "delivery 3 came where 2 was expected"


def test_a_gap_of_a_confidential_channel_has_no_number() -> None:
    trouble, expected = trouble_of(Gap(assigned("E-1", 3), 2), FINANCE_CONFIDENTIAL)
    assert (trouble.code, expected) == ("gap", 2)
    assert trouble.sentence == "an event is missing before it"


def gap(sequence: int, **fields: Any) -> ParkedRecord:
    """Return a record of Delivery that waits for the third event."""
    values = {"code": "gap", "expected": 3, "raw": None, "order": sequence, **fields}
    return ParkedRecord(
        id=f"delivery/0/{sequence}",
        engagement="E-1",
        channel=DELIVERY,
        partition=0,
        offset=sequence,
        sequence=sequence,
        sentence="",
        at=NOW,
        **values,
    )


def test_a_gap_is_proven_by_a_record_of_each_missing_number_that_a_person_set_aside() -> None:
    head = gap(5)
    assert not_proven(head, [gap(3, by="olga"), gap(4, by="olga")], None) is None
    assert not_proven(head, [gap(3, by="olga")], None) is not None


def test_a_gap_is_not_proven_by_records_that_claim_the_missing_numbers() -> None:
    """Expect that the author of one forged record publishes the others with it."""
    assert not_proven(gap(5), [gap(3), gap(4, code="no-event")], None) is not None


# ---- the order in which parked records are tried


def waiting(order: int, channel: Channel, sequence: int | None) -> ParkedRecord:
    return ParkedRecord(
        id=str(order),
        engagement="E-1",
        channel=channel,
        partition=0,
        offset=order,
        sequence=sequence,
        code="waiting",
        sentence="",
        expected=None,
        raw=b"",
        at=MOMENT,
        order=order,
    )


def tried(*records: ParkedRecord) -> list[tuple[str, int | None]]:
    return [(each.channel.name, each.sequence) for each in in_sequence(records)]


def test_a_late_missing_event_is_tried_first_of_its_channel() -> None:
    assert tried(
        waiting(1, LEGAL, 3), waiting(2, SALES, 7), waiting(3, LEGAL, 4), waiting(4, LEGAL, 2)
    ) == [("legal", 2), ("sales", 7), ("legal", 3), ("legal", 4)]


def test_no_record_overtakes_one_of_unknown_number() -> None:
    assert tried(
        waiting(1, SALES, 4), waiting(2, SALES, None), waiting(3, SALES, 3), waiting(4, LEGAL, 1)
    ) == [("sales", 4), ("sales", None), ("sales", 3), ("legal", 1)]


@given(st.lists(st.tuples(st.sampled_from([SALES, LEGAL]), st.integers(1, 9)), max_size=12))
def test_no_record_is_lost_and_every_channel_is_in_sequence(
    arrived: list[tuple[Channel, int]],
) -> None:
    records = [waiting(place, *each) for place, each in enumerate(arrived)]

    order = in_sequence(records)

    assert sorted(each.order for each in order) == list(range(len(arrived)))
    for channel in (SALES, LEGAL):
        of_channel = [each.sequence or 0 for each in order if each.channel is channel]
        assert of_channel == sorted(of_channel)
