"""Engagements that may be processed again: one that fails holds up no other."""

import logging
from types import SimpleNamespace
from typing import Any, cast

import pytest

from chassis.eventstore.mongo import StoreAway
from chassis.kafka.consumer import Consumer
from chassis.kafka.parked import ParkedRecordStore
from contracts.channels import SALES
from tests.component.consumer_harness import Counting


class Tried:
    """An intake that remembers what was tried; one engagement always fails."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.tried: list[str] = []

    async def take_up(self, engagement: str) -> None:
        self.tried.append(engagement)
        if engagement == "E-bad":
            raise self.error

    async def settle(self, *, now: bool) -> bool:  # noqa: ARG002
        return True


def listener(intake: Tried, *to_try: str) -> Consumer:
    async def asked(_: object) -> list[Any]:
        return []

    made = Consumer(
        "127.0.0.1:9",
        group="readers",
        channels=[SALES],
        routes=lambda recorded: (recorded.subject,),
        reader=Counting(),
        parking=ParkedRecordStore(cast("Any", None)),
    )
    made._intake = cast("Any", intake)
    made.parking = cast("Any", SimpleNamespace(asked=asked))
    made.progress.joined = made._prepared = True
    made._to_try = dict.fromkeys(to_try, False)
    return made


async def test_an_engagement_that_keeps_failing_holds_up_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    intake = Tried(ArithmeticError("a bug"))
    taking = listener(intake, "E-bad", "E-1", "E-2")

    with caplog.at_level(logging.ERROR):
        await taking._look_after()
        await taking._look_after()

    assert intake.tried == ["E-bad", "E-1", "E-2", "E-bad"], "it is tried again, behind the others"
    assert len(caplog.records) == 1, "and is not named each second"


async def test_the_others_are_tried_first_after_a_fault_that_passes() -> None:
    intake = Tried(StoreAway("too slow"))
    taking = listener(intake, "E-bad", "E-1")

    with pytest.raises(StoreAway):
        await taking._look_after()
    with pytest.raises(StoreAway):
        await taking._look_after()

    assert intake.tried == ["E-bad", "E-1", "E-bad"]
