"""Decide on non-disclosure and master services agreements."""

from collections.abc import Iterable
from typing import Self, TypeVar

from pydantic import Field, model_validator

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Refused
from chassis.domain.context import Context
from chassis.domain.rules import same_day, unless_recorded
from contracts.event import Event
from contracts.legal import Agreement, MsaSigned, NdaSigned
from contracts.values import Day
from legal.engagement import Engagement
from legal.policies import require_open
from legal.roles import CONTRACTS

capability = Capability[Engagement](__name__)

A = TypeVar("A", NdaSigned, MsaSigned)


class _SignedAgreement(Agreement, Command):
    signed_on: Day | None = Field(default=None, description="today unless given")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.signed_on and self.expires_on and self.expires_on < self.signed_on:
            raise ValueError("expires_on must not be before signed_on")
        return self


class RecordNda(_SignedAgreement):
    """Record that both parties signed a non-disclosure agreement.

    An agreement signed later replaces it.
    """


class RecordMsa(_SignedAgreement):
    """Record that both parties signed a master services agreement.

    An agreement signed later replaces it.
    """


@capability.decide(RecordNda, by=CONTRACTS)
def record_nda(state: Engagement, command: RecordNda, context: Context) -> Iterable[Event]:
    """Record the NDA; only one signed on a later day replaces it."""
    yield from _recorded(state, command, context, NdaSigned, state.agreements.nda, "the NDA")


@capability.decide(RecordMsa, by=CONTRACTS)
def record_msa(state: Engagement, command: RecordMsa, context: Context) -> Iterable[Event]:
    """Record the MSA; only one signed on a later day replaces it."""
    yield from _recorded(state, command, context, MsaSigned, state.agreements.msa, "the MSA")


def _recorded(
    state: Engagement,
    command: _SignedAgreement,
    context: Context,
    kind: type[A],
    known: A | None,
    what: str,
) -> Iterable[Event]:
    require_open(state)
    # Another term is another agreement, signed today unless a day is given.
    repeated = known if known and known.expires_on == command.expires_on else None
    signed_on = same_day("signed_on", command, repeated, context)
    if command.expires_on and command.expires_on < signed_on:
        raise Refused(
            "expiry-before-signature",
            f"expires_on: {command.expires_on} is before {signed_on}, the day of the signature",
        )
    replaced = known is not None and known.signed_on < signed_on
    event = kind(signed_on=signed_on, expires_on=command.expires_on)
    yield from unless_recorded(None if replaced else known, event, what)


class AgreementFields(ViewModel):
    """The agreements in the view of an engagement."""

    nda: NdaSigned | None
    msa: MsaSigned | None


@capability.view
def agreements_view(state: Engagement) -> AgreementFields:
    """Return the agreements for the view of an engagement."""
    return AgreementFields(nda=state.agreements.nda, msa=state.agreements.msa)
