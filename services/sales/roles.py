"""Roles that use Sales."""

from contracts.roles import Role

SELLERS: tuple[Role, ...] = ("account-executive", "sales-manager")
MANAGERS: tuple[Role, ...] = ("sales-manager",)
ERASERS: tuple[Role, ...] = ("sales-manager", "operator")
"""Those who may erase a contact."""
ACCOUNTING: tuple[Role, ...] = ("project-accountant", "controller")
"""People of Finance who keep the tax and billing data of accounts."""
READERS: tuple[Role, ...] = (*SELLERS, "vp-engagement-management", "executive")
