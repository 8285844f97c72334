"""Roles that use Finance."""

from contracts.roles import Role

ACCOUNTING: tuple[Role, ...] = ("project-accountant", "controller")
CONTROLLING: tuple[Role, ...] = ("controller",)
DETAILS_SEEN_BY: tuple[Role, ...] = (*ACCOUNTING, "vp-engagement-management")
"""Those who see whose time and expenses they are, one by one; other readers see sums."""
READERS: tuple[Role, ...] = (*DETAILS_SEEN_BY, "executive")
IMPORTERS: tuple[Role, ...] = ("controller", "operator")
"""Those who take over the balances of engagements under way."""
