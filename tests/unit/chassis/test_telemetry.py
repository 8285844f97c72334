"""What the log says, and how often."""

import logging

from chassis.base.telemetry import RateLimitFilter


def said(logger: str, text: str, *values: object, at: float) -> logging.LogRecord:
    record = logging.LogRecord(logger, logging.ERROR, "", 0, text, values, None)
    record.created = at
    return record


def test_a_library_that_repeats_itself_is_heard_now_and_then() -> None:
    seldom = RateLimitFilter("aiokafka", seconds=30)
    text = "Unable connect to node with id %s: %s"
    told = [
        seldom.filter(said("aiokafka.client", text, node, "refused", at=float(second)))
        for second, node in enumerate((1, 2, 1, 1))
    ]
    assert told == [True, False, False, False]
    assert seldom.filter(said("aiokafka.client", "Topic %s is gone", "a", at=3.0))

    later = said("aiokafka.client", text, 1, "refused", at=31.0)
    assert seldom.filter(later)
    assert later.getMessage() == "Unable connect to node with id 1: refused (and 3 times before)"


def test_others_say_all_they_have_to_say() -> None:
    seldom = RateLimitFilter("aiokafka")
    for logger in ("chassis.kafka.consumer", "aiokafkaesque"):
        assert all(seldom.filter(said(logger, "again", at=1.0)) for _ in range(3))
