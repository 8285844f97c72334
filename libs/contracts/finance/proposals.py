"""Define the review of proposals by Finance."""

from contracts.channels import FINANCE
from contracts.event import Event
from contracts.finance.estimates import Floor
from contracts.money import PositiveTotal
from contracts.values import Version


class ProposalReviewed(Event, channel=FINANCE, consumed_by=("sales",)):
    """Finance reviewed a version of the proposal against the minimum margin (floor).

    Published by Finance when the version is drafted, and again when the cost rates become known.
    Where its hours or purchases differ from the estimate, or it is a third different offer on one
    estimate, it is reviewed when a sales manager has approved an exception. A later review of the
    same version replaces this one.
    """

    version: Version
    """Version of the proposal."""
    price: PositiveTotal
    """Price that was reviewed: that of the lines that are not optional."""
    floor: Floor
    """`above` if the price leaves the minimum margin, which is itself confidential.

    It does so by every choice of the optional lines; `below` if one choice does not.
    `unknown` where the cost rate of a role is not known.
    """
