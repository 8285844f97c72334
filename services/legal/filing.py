"""Decide on the file of an engagement, its NDA and its MSA."""

from collections.abc import Iterator
from datetime import date
from typing import Self

from pydantic import model_validator

from chassis.domain.commands import Command, Refused
from chassis.domain.context import Context
from contracts.event import Event
from contracts.legal import FileOpened, MsaSigned, NdaSigned
from contracts.values import AccountId, Day, ShortText
from legal.state import Engagement, decide, require_open, require_past


class OpenFile(Command):
    """Open the file of the engagement before its deal is won; a won deal opens it automatically.

    Account and title are those of Sales unless given; the account must not differ from Sales'.
    """

    account: AccountId | None = None
    title: ShortText | None = None


class _Agreement(Command):
    """Base of the commands that record a signed agreement."""

    signed_on: Day | None = None
    expires_on: Day | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.signed_on and self.expires_on and self.expires_on < self.signed_on:
            raise ValueError("expires_on must not be before signed_on")
        return self


class RecordNda(_Agreement):
    """Record that both parties signed a non-disclosure agreement.

    `signed_on` is today (UTC) unless given. `expires_on` is the last day of the agreement; without
    it the agreement does not expire. An agreement signed later replaces it.
    """


class RecordMsa(_Agreement):
    """Record that both parties signed a master services agreement.

    `signed_on` is today (UTC) unless given. `expires_on` is the last day of the agreement; without
    it the agreement does not expire. An agreement signed later replaces it.
    """


@decide.on(OpenFile)
def open_file(state: Engagement, command: OpenFile, context: Context) -> Iterator[Event]:
    """Open the file once.

    Raises Refused where account or title are unknown or differ, and where the engagement is over.
    """
    if state.over:
        raise Refused("engagement-over", f"the engagement {state.over}")
    known = state.opportunity
    account = command.account or (known.account if known else None)
    title = command.title or (known.title if known else None)
    if account is None or title is None:
        raise Refused("file-incomplete", "Sales has no account or no title: give them")
    if known and known.account and known.account != account:
        raise Refused(
            "account-differs", f"Sales opened this engagement for {known.account}, not {account}"
        )
    event = FileOpened(account=account, title=title)
    if state.file is None:
        yield event
    elif command.model_fields_set and state.file != event:
        raise Refused("file-open", f"the file is open as {state.file.title}")


@decide.on(RecordNda)
def record_nda(state: Engagement, command: RecordNda, context: Context) -> Iterator[Event]:
    """Record the NDA; only one signed on a later day replaces it."""
    signed_on = _signed_on(state, command, context, "the NDA was signed")
    event = NdaSigned(signed_on=signed_on, expires_on=command.expires_on)
    if _follows(state.nda, event, "NDA"):
        yield event


@decide.on(RecordMsa)
def record_msa(state: Engagement, command: RecordMsa, context: Context) -> Iterator[Event]:
    """Record the MSA; only one signed on a later day replaces it."""
    signed_on = _signed_on(state, command, context, "the MSA was signed")
    event = MsaSigned(signed_on=signed_on, expires_on=command.expires_on)
    if _follows(state.msa, event, "MSA"):
        yield event


def _signed_on(state: Engagement, command: _Agreement, context: Context, act: str) -> date:
    """Return the day of signature; raises Refused where it is in the future or after the expiry."""
    require_open(state)
    day = command.signed_on or context.today
    require_past(day, context.today, act)
    if command.expires_on and command.expires_on < day:
        raise Refused(
            "expiry-before-signature", f"{act} on {day} and expired on {command.expires_on}"
        )
    return day


def _follows(
    earlier: NdaSigned | MsaSigned | None, later: NdaSigned | MsaSigned, name: str
) -> bool:
    """Return whether the agreement is new; raises Refused where it differs and is not later."""
    if earlier is not None and earlier != later and later.signed_on <= earlier.signed_on:
        raise Refused(
            "nda-signed" if name == "NDA" else "msa-signed",
            f"an {name} signed on {earlier.signed_on} is recorded",
        )
    return earlier != later
