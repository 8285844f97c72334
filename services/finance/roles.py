"""Roles that use Finance."""

from contracts.roles import Role

ACCOUNTING: tuple[Role, ...] = ("project-accountant", "controller")
CONTROLLING: tuple[Role, ...] = ("controller",)
READERS: tuple[Role, ...] = (*ACCOUNTING, "vp-engagement-management", "executive")
IMPORTERS: tuple[Role, ...] = ("controller", "operator")
"""Those who take over the balances of engagements under way."""
