"""Define the event of an opened file."""

from contracts.channels import LEGAL
from contracts.event import Event
from contracts.values import AccountId, ShortText


class FileOpened(Event, channel=LEGAL):
    """Legal opened its file of the engagement.

    Published by Legal, without a command when the deal is won.
    """

    account: AccountId
    """Id of the customer's organisation."""
    title: ShortText
    """Title of the opportunity."""
