"""Roles that use Sales."""

from contracts.roles import Role

SELLERS: tuple[Role, ...] = ("account-executive", "sales-manager")
MANAGERS: tuple[Role, ...] = ("sales-manager",)
READERS: tuple[Role, ...] = (*SELLERS, "vp-engagement-management", "executive")
