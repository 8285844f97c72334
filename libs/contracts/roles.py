"""Roles in a token: they decide what its holder may read and command in every service."""

from typing import Literal, get_args

Role = Literal[
    "account-executive",
    "sales-manager",
    "engagement-manager",
    "pmo-director",
    "consultant",
    "counsel",
    "contract-manager",
    "project-accountant",
    "controller",
    "executive",
    "vp-engagement-management",
    "customer",
    "partner",
    "confidential",
    "historian",
    "operator",
]
ROLES: tuple[Role, ...] = get_args(Role)
"""All known roles; others in a token are ignored."""
COMPANY: tuple[Role, ...] = (
    "account-executive",
    "sales-manager",
    "engagement-manager",
    "pmo-director",
    "consultant",
    "counsel",
    "contract-manager",
    "project-accountant",
    "controller",
    "vp-engagement-management",
    "executive",
)
"""Roles of the people of the company: they may read the open reference data."""
