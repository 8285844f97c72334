"""Find the person in a department who can end a disconnect."""

from collections.abc import Iterable

from contracts.channels import Department
from gateway.view.engagement_view import View
from gateway.view.sections.steps import Ref


def who_ends(view: View, department: Department) -> str | None:
    """Return the seller, the manager, the counsel or the accountant of the engagement, or None.

    Counsel and accountant are assigned to no engagement: they are who stated something about it
    last, on its contract or on its budget and invoices.
    """
    if department == "sales":
        return view.sales.owner
    if department == "delivery":
        return view.delivery.manager
    return _last_author(_of_legal(view) if department == "legal" else _of_finance(view))


def _of_legal(view: View) -> Iterable[Ref | None]:
    legal = view.legal
    contract = (legal.approved, legal.sent, legal.signed, legal.imported, *legal.sows.values())
    yield from (each.said for each in contract if each is not None)
    yield legal.filed
    for amendment in legal.amendments.values():
        yield from (amendment.drafted, amendment.signed)


def _of_finance(view: View) -> Iterable[Ref | None]:
    finance = view.finance
    stated = (*finance.sow_reviews.values(), *finance.amendment_reviews.values(), finance.imported)
    yield from (each.said for each in stated if each is not None)
    yield finance.budget.said if finance.budget is not None else None
    yield from (invoice.said for invoice in finance.invoices.values())


def _last_author(said: Iterable[Ref | None]) -> str | None:
    known = [each for each in said if each is not None and each.author is not None]
    return max(known, key=lambda each: each.streamsequence).author if known else None
