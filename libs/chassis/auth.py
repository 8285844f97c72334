"""Who is asking, and what they may do: bearer tokens (RFC 6750, RFC 7519) and roles.

The token's subject is the actor of every fact that follows. Roles say what a person may ask of
which department; `confidential` is the right to see costs and margins, apart from reading.
"""

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
"""All roles a token may carry; others in a token are passed over."""
