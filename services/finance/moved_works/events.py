"""Internal events of an engagement about works that it does not keep in its own stream."""

from chassis.domain.internal import Internal
from chassis.domain.pending import Deferred, DeferredDecided
from contracts.values import Identifier, Month, PersonId
from finance.work.works import Work


class WorksLeft(Internal):
    """Works of a booked month leave the engagement; the request contains them.

    `item` is that of the request, `works` are their keys, `invoices` those that bill them.
    `unbilled` says that some of them are neither billed nor written down. `uncosted` are the keys
    of those whose cost the request does not contain.
    """

    month: Month
    item: str
    works: tuple[str, ...]
    invoices: tuple[Identifier, ...]
    unbilled: bool
    uncosted: tuple[str, ...] = ()


class WorksAskedFor(Internal):
    """The engagement asks for works of a month: of these keys, of these invoices, or unbilled."""

    month: Month
    item: str
    works: tuple[str, ...]
    invoices: tuple[Identifier, ...]
    unbilled: bool


class WorksReturned(Internal):
    """The engagement has works again; the approval of those in `reversed` was reversed.

    `refused` says that the stream of the month did not take them.
    """

    month: Month
    works: tuple[Work, ...] = ()
    reversed: tuple[Work, ...] = ()
    refused: bool = False


class CostsAskedToNote(Internal):
    """The stream of a month is asked to note the costs of works, which have become known.

    `item` is that of the request. Confidential.
    """

    month: Month
    item: str

    @property
    def is_confidential(self) -> bool:
        """Return that when a cost became known is confidential."""
        return True


class CostsTold(Internal):
    """The stream of a month knows the costs of works, of these keys. Confidential."""

    works: tuple[str, ...]

    @property
    def is_confidential(self) -> bool:
        """Return that when a cost became known is confidential."""
        return True


class CorrectionBegun(Deferred):
    """A correction of an invoice waits for its works; `content` is the command as JSON."""

    invoice: Identifier
    command: str
    content: str
    by: PersonId


class CorrectionMade(DeferredDecided):
    """The correction of an invoice was recorded after its works had returned."""

    invoice: Identifier


class CorrectionRefused(DeferredDecided):
    """The correction of an invoice was refused after its works had returned."""

    invoice: Identifier
    command: str
