"""What people see of events that it was decided to do without."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime

from chassis.base.view_model import ViewModel
from chassis.domain.decider import PassedOver
from contracts.channels import CHANNELS


class PassedOverView(ViewModel):
    """Missing events, numbered `first` to `last`, that it was decided to do without: by whom, why.

    `at` is in UTC.
    """

    channel: str
    first: int
    last: int
    by: str
    why: str
    at: datetime


def shown(passed_over: Iterable[PassedOver], *, confidential: bool) -> list[PassedOverView]:
    """Return what a reader sees of them: of confidential channels only those who may."""
    return [
        PassedOverView(**asdict(each))
        for each in passed_over
        if confidential or not CHANNELS[each.channel].confidential
    ]
