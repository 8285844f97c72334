"""Roles that use Legal."""

from contracts.roles import Role

COUNSEL: tuple[Role, ...] = ("counsel",)
"""Only counsel approves for Legal and terminates."""
CONTRACTS: tuple[Role, ...] = ("counsel", "contract-manager")
AT_RISK: tuple[Role, ...] = ("counsel", "vp-engagement-management")
"""Those who may let work begin before the signature."""
READERS: tuple[Role, ...] = (*CONTRACTS, "vp-engagement-management", "executive")
IMPORTERS: tuple[Role, ...] = ("counsel", "operator")
"""Those who take over the contracts of engagements under way."""
