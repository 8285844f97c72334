"""Find the role that can end a disconnect, and the person who has it on an engagement."""

from collections.abc import Iterable, Mapping

from contracts.channels import Department
from contracts.roles import Role
from gateway.view.engagement_view import View
from gateway.view.sections.steps import Ref

GIVEN_BY: Mapping[tuple[Department, str], Role] = {
    ("sales", "confirm-contract"): "account-executive",
    ("sales", "request-change"): "account-executive",
    ("sales", "revise-proposal"): "account-executive",
    ("sales", "win-deal"): "account-executive",
    ("legal", "authorise-early-start"): "counsel",
    ("legal", "draft-amendment"): "contract-manager",
    ("legal", "draft-sow"): "contract-manager",
    ("legal", "import-engagement"): "counsel",
    ("legal", "meet-obligation"): "contract-manager",
    ("legal", "record-signature"): "contract-manager",
    ("legal", "sign-amendment"): "contract-manager",
    ("delivery", "allocate-resource"): "engagement-manager",
    ("delivery", "approve-change"): "engagement-manager",
    ("delivery", "approve-expense-as-cost"): "pmo-director",
    ("delivery", "approve-time-as-cost"): "pmo-director",
    ("delivery", "assess-change"): "engagement-manager",
    ("delivery", "assign-manager"): "pmo-director",
    ("delivery", "baseline-plan"): "engagement-manager",
    ("delivery", "close-raid-item"): "engagement-manager",
    ("delivery", "draft-plan"): "engagement-manager",
    ("delivery", "hold-kickoff"): "engagement-manager",
    ("delivery", "import-engagement"): "pmo-director",
    ("delivery", "publish-status-report"): "engagement-manager",
    ("delivery", "reach-milestone"): "engagement-manager",
    ("delivery", "reject-expense"): "engagement-manager",
    ("delivery", "reject-time"): "engagement-manager",
    ("delivery", "release-resource"): "engagement-manager",
    ("delivery", "request-change"): "engagement-manager",
    ("delivery", "reverse-expense"): "engagement-manager",
    ("delivery", "review-sow"): "engagement-manager",
    ("delivery", "sign-off-brd"): "engagement-manager",
    ("delivery", "submit-deliverable"): "engagement-manager",
    ("delivery", "submit-estimate"): "engagement-manager",
    ("finance", "allocate-payment"): "project-accountant",
    ("finance", "approve-invoice"): "controller",
    ("finance", "bill-outside-schedule"): "project-accountant",
    ("finance", "catch-up"): "project-accountant",
    ("finance", "import-engagement"): "controller",
    ("finance", "issue-credit-note"): "controller",
    ("finance", "publish-rate-card"): "controller",
    ("finance", "release-invoice"): "project-accountant",
    ("finance", "review-sow"): "project-accountant",
    ("finance", "void-invoice"): "controller",
}
"""Role that gives a command, by the department that ends a disconnect with it, and the command.

Of several roles it is the one that usually does, and not the one that supervises it.
"""


def who_ends(view: View, role: Role) -> str | None:
    """Return the seller, the manager, the contract manager or the accountant of the engagement.

    Contract manager and accountant are assigned to no engagement: they are who stated something
    about it last, on its contract or on its budget and invoices. None where none is known, and for
    other roles: of no person is it known here that they have those.
    """
    match role:
        case "account-executive":
            return view.sales.owner
        case "engagement-manager":
            return view.delivery.manager
        case "contract-manager":
            return _last_author(_of_legal(view))
        case "project-accountant":
            return _last_author(_of_finance(view))
        case _:
            return None


def _of_legal(view: View) -> Iterable[Ref | None]:
    legal = view.legal
    contract = (legal.approved, legal.sent, legal.signed, *legal.sows.values())
    yield from (each.said for each in contract if each is not None)
    yield legal.filed
    for amendment in legal.amendments.values():
        yield from (amendment.drafted, amendment.signed)


def _of_finance(view: View) -> Iterable[Ref | None]:
    finance = view.finance
    yield from (review.said for review in finance.sow_reviews.values())
    yield from (review.said for review in finance.amendment_reviews.values())
    yield finance.budget.said if finance.budget is not None else None
    yield from (invoice.said for invoice in finance.invoices.values())


def _last_author(said: Iterable[Ref | None]) -> str | None:
    known = [each for each in said if each is not None and each.author is not None]
    return max(known, key=lambda each: each.streamsequence).author if known else None
