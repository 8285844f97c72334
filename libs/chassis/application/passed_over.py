"""The view of missing events that a person decided to skip."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime

from chassis.base.view_model import ViewModel
from chassis.domain.stream import PassedOver
from contracts.channels import CHANNELS


class PassedOverView(ViewModel):
    """Missing events of a channel, numbered `first` to `last`, that a person decided to skip.

    `by` is the person's id, `why` the reason given, `at` the moment of the decision (UTC).
    """

    channel: str
    first: int
    last: int
    by: str
    why: str
    at: datetime


def shown(passed_over: Iterable[PassedOver], *, confidential: bool) -> list[PassedOverView]:
    """Return the views; those of confidential channels only if `confidential`."""
    return [
        PassedOverView(**asdict(each))
        for each in passed_over
        if confidential or not CHANNELS[each.channel].confidential
    ]
