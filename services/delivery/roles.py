"""Roles that use Delivery."""

from contracts.roles import Role

DIRECTORS: tuple[Role, ...] = ("pmo-director", "vp-engagement-management")
ENDORSERS: tuple[Role, ...] = ("engagement-manager",)
MANAGERS: tuple[Role, ...] = ("engagement-manager", "pmo-director")
WORKERS: tuple[Role, ...] = ("consultant", *MANAGERS)
REQUESTERS: tuple[Role, ...] = (*WORKERS, "account-executive")
COST_APPROVERS: tuple[Role, ...] = ("pmo-director",)
"""Roles that may approve uncovered time and expenses as cost."""
TOLERANCE_KEEPERS: tuple[Role, ...] = ("pmo-director",)
"""Roles that may decide which differences between departments are no disconnect yet."""
RECORD_KEEPERS: tuple[Role, ...] = ("pmo-director", "operator")
ACCOUNTANTS: tuple[Role, ...] = ("project-accountant", "controller")
READERS: tuple[Role, ...] = (*WORKERS, "vp-engagement-management", "executive")
