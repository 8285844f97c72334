"""Decide on the file of an engagement, and show whose engagement it is."""

from collections.abc import Iterable

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Refused
from chassis.domain.context import Context
from chassis.domain.rules import unless_recorded
from contracts.event import Event
from contracts.legal import FileOpened
from contracts.values import AccountId, ShortText
from legal.engagement import Engagement, Stage
from legal.file import work_items
from legal.policies import require_not_ended
from legal.roles import CONTRACTS

capability = Capability[Engagement](__name__)
capability.work(work_items.KINDS, work_items.items)


class OpenFile(Command):
    """Open the file of the engagement before its deal is won; a won deal opens it automatically.

    Account and title are those of Sales unless given; the account must not differ from Sales'.
    """

    account: AccountId | None = None
    title: ShortText | None = None


@capability.decide(OpenFile, by=CONTRACTS)
def open_file(state: Engagement, command: OpenFile, context: Context) -> Iterable[Event]:
    """Open the file once.

    Raises Refused where account or title are unknown or differ, and where the engagement is over.
    """
    require_not_ended(state)
    opportunity = state.file.opportunity
    known = state.file.opened or opportunity
    account = command.account or (known.account if known else None)
    title = command.title or (known.title if known else None)
    if account is None or title is None:
        raise Refused("file-incomplete", "Sales has no account or no title: give them")
    event = FileOpened(account=account, title=title)
    for new in unless_recorded(state.file.opened, event, "the file"):
        if opportunity and opportunity.account not in {None, account}:
            raise Refused(
                "account-differs",
                f"Sales opened this engagement for {opportunity.account}, not {account}",
            )
        yield new


@capability.react
def open_file_of_won_deal(state: Engagement, context: Context) -> Iterable[Event]:
    """Open the file of a won deal, if its account is known."""
    known = state.file.opportunity
    if state.deal.won and not state.file.opened and known and known.account:
        yield FileOpened(account=known.account, title=known.title)


class FileFields(ViewModel):
    """The file in the view of an engagement."""

    engagement: str
    account: AccountId | None
    title: ShortText | None
    stage: Stage
    file: FileOpened | None


@capability.view
def file_view(state: Engagement) -> FileFields:
    """Return the file for the view of an engagement."""
    known = state.file.opened or state.file.opportunity
    return FileFields(
        engagement=state.engagement,
        account=known.account if known else None,
        title=known.title if known else None,
        stage=state.stage,
        file=state.file.opened,
    )


class FileRow(ViewModel):
    """The columns of the file in the list of engagements."""

    account: str | None
    title: str | None
    stage: str


@capability.row
def file_row(state: Engagement) -> FileRow:
    """Return the columns of the file in the list of engagements."""
    view = file_view(state)
    return FileRow(account=view.account, title=view.title, stage=view.stage)
