"""Deadlines that a state names, and the command that reports one as passed."""

from dataclasses import dataclass
from datetime import datetime

from chassis.domain.commands import Command


class DeadlinePassed(Command):
    """Report that a deadline of the stream has passed; given only by the deadline scheduler."""

    deadline: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment (UTC) after which the stream is given `DeadlinePassed` with this name."""

    name: str
    at: datetime
