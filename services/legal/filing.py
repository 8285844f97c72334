"""The file of an engagement, and the agreements that frame it."""

from collections.abc import Iterator
from datetime import date
from typing import Self

from pydantic import model_validator

from chassis.domain.decider import Command, Context, Refused
from contracts.event import Event
from contracts.legal import FileOpened, MsaSigned, NdaSigned
from contracts.values import AccountId, Day, ShortText
from legal.state import Engagement, decide, require_open, require_past


class OpenFile(Command):
    """Keep a file for the engagement before its deal is won (after that it opens by itself).

    Account and title are those that Sales gave; name them where Sales knows none.
    """

    account: AccountId | None = None
    title: ShortText | None = None


class _Agreement(Command):
    signed_on: Day | None = None
    expires_on: Day | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.signed_on and self.expires_on and self.expires_on < self.signed_on:
            raise ValueError("expires_on must not be before signed_on")
        return self


class RecordNda(_Agreement):
    """Both parties signed a non-disclosure agreement, today unless a day is named.

    A later one replaces it. `expires_on` is its last day; without one it does not end.
    """


class RecordMsa(_Agreement):
    """Both parties signed a master services agreement, today unless a day is named.

    A later one replaces it. `expires_on` is its last day; without one it does not end.
    """


@decide.on(OpenFile)
def open_file(state: Engagement, command: OpenFile, context: Context) -> Iterator[Event]:
    """Only one file, under the customer's name that Sales gave."""
    if state.over:
        raise Refused("engagement-over", f"the engagement {state.over}")
    known = state.opportunity
    account = command.account or (known.account if known else None)
    title = command.title or (known.title if known else None)
    if account is None or title is None:
        raise Refused("account-unknown", "Sales named no account or title: name them here")
    if known and known.account and known.account != account:
        raise Refused(
            "account-differs", f"Sales opened this engagement for {known.account}, not {account}"
        )
    event = FileOpened(account=account, title=title)
    if state.file is None:
        yield event
    elif command.model_fields_set and state.file != event:
        raise Refused("file-already-open", f"the file is open as {state.file.title}")


@decide.on(RecordNda)
def record_nda(state: Engagement, command: RecordNda, context: Context) -> Iterator[Event]:
    """An agreement is replaced by a later one only."""
    signed_on = _signed_on(state, command, context, "the NDA was signed")
    event = NdaSigned(signed_on=signed_on, expires_on=command.expires_on)
    if _follows(state.nda, event, "NDA"):
        yield event


@decide.on(RecordMsa)
def record_msa(state: Engagement, command: RecordMsa, context: Context) -> Iterator[Event]:
    """An agreement is replaced by a later one only."""
    signed_on = _signed_on(state, command, context, "the MSA was signed")
    event = MsaSigned(signed_on=signed_on, expires_on=command.expires_on)
    if _follows(state.msa, event, "MSA"):
        yield event


def _signed_on(state: Engagement, command: _Agreement, context: Context, act: str) -> date:
    require_open(state)
    day = command.signed_on or context.today
    require_past(day, context.today, act)
    if command.expires_on and command.expires_on < day:
        raise Refused("expired-when-signed", f"{act} on {day} and ran out on {command.expires_on}")
    return day


def _follows(
    earlier: NdaSigned | MsaSigned | None, later: NdaSigned | MsaSigned, name: str
) -> bool:
    """Whether there is something new to say; refuses an older or a contradicting agreement."""
    if earlier is not None and earlier != later and later.signed_on <= earlier.signed_on:
        raise Refused(
            f"{name.lower()}-already-signed", f"an {name} of {earlier.signed_on} is on file"
        )
    return earlier != later
