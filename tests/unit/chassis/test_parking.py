"""What is told of a record that could not be taken in."""

import logging
from decimal import Decimal
from typing import Any

import pytest

from chassis.base.telemetry import JsonLines
from chassis.domain.decider import Gap
from chassis.kafka.batch_processor import alarm
from chassis.kafka.consumer_settings import Arrival
from chassis.kafka.parked_record import ParkedRecord, not_proven, trouble_of
from contracts.channels import DELIVERY, FINANCE, FINANCE_CONFIDENTIAL, Channel
from contracts.values import Margin
from tests.component.sample_department import NOW, assigned

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
def test_a_bug_is_told_and_logged_by_its_kind_and_place(
    error: Exception, channel: Channel, caplog: pytest.LogCaptureFixture
) -> None:
    """What follows from an open event may be confidential, too."""
    trouble, _ = trouble_of(error, channel)
    arrival = Arrival("topic", 0, 0, "E-1", channel, b"")
    with caplog.at_level(logging.ERROR):
        alarm("sales", arrival, trouble, error)
    logged = "".join(map(JsonLines("sales").format, caplog.records))
    assert "870.12" not in trouble.sentence + logged
    assert trouble.sentence.startswith(type(error).__name__)
    assert "line " in trouble.sentence
    assert "Traceback" in logged


def test_a_validation_names_the_field_and_never_what_stood_there() -> None:
    trouble, _ = trouble_of(wrong_margin(), FINANCE)
    assert trouble.sentence.startswith("ValidationError: Margin: revenue.amount: ")
    assert "870.12" not in trouble.sentence
    assert "870.12" not in str(wrong_margin())


def test_a_gap_says_what_it_waits_for() -> None:
    trouble, expected = trouble_of(Gap(assigned("E-1", 3), 2), DELIVERY)
    assert (trouble.code, expected) == ("gap", 2)
    assert trouble.sentence == "delivery 3 came where 2 was expected"


def test_a_gap_of_a_confidential_channel_says_no_number() -> None:
    trouble, expected = trouble_of(Gap(assigned("E-1", 3), 2), FINANCE_CONFIDENTIAL)
    assert (trouble.code, expected) == ("gap", 2)
    assert trouble.sentence == "an event is missing before it"


def gap(sequence: int, **fields: Any) -> ParkedRecord:
    """A record of delivery that waits for its third event."""
    given = {"code": "gap", "expected": 3, "raw": None, "order": sequence, **fields}
    return ParkedRecord(
        id=f"delivery/0/{sequence}",
        engagement="E-1",
        channel=DELIVERY,
        partition=0,
        offset=sequence,
        sequence=sequence,
        sentence="",
        at=NOW,
        **given,
    )


def test_a_gap_is_proven_by_a_record_of_each_missing_number_that_a_person_set_aside() -> None:
    head = gap(5)
    assert not_proven(head, [gap(3, by="olga"), gap(4, by="olga")], None) is None
    assert not_proven(head, [gap(3, by="olga")], None) is not None


def test_a_gap_is_not_proven_by_records_that_claim_the_missing_numbers() -> None:
    """Whoever forges one record can publish the others with it."""
    assert not_proven(gap(5), [gap(3), gap(4, code="no-event")], None) is not None
