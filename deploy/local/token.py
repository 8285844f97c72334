"""Print a bearer token for local use: ``python -m local.token --as ann [--roles a,b]``.

The secret comes from CONCORD_TOKEN_SECRET, or from the file where the local platform keeps it
(``run/token-secret`` below CONCORD_HOME, which is ``.concord`` unless set). It is never printed.
"""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, cast

import typer

from chassis.base.settings import LOCAL_ISSUER, Settings, UnsafeSettings
from chassis.web.auth import LONGEST, issue
from contracts.roles import ROLES, Role

PERSONAS: dict[str, tuple[Role, ...]] = {
    "ann": ("account-executive",),
    "sam": ("sales-manager", "account-executive"),
    "emma": ("engagement-manager",),
    "paul": ("pmo-director", "engagement-manager"),
    "cora": ("consultant",),
    "carl": ("counsel",),
    "mona": ("contract-manager",),
    "fred": ("project-accountant", "confidential"),
    "dora": ("controller", "project-accountant", "confidential"),
    "vera": ("vp-engagement-management", "executive", "confidential"),
    "eve": ("executive",),
    "cleo": ("customer",),
    "pia": ("partner",),
    "oscar": ("operator",),
    "hugo": tuple(role for role in ROLES if role not in {"customer", "partner"}),
}
"""People of a local installation, and their roles. Hugo has all roles of the company, with
`historian`, which may back-date commands."""


def personas() -> str:
    """Return the local people and their roles, a line each."""
    return "\n".join(f"  {name:<6} {', '.join(roles)}" for name, roles in PERSONAS.items())


def secret_here() -> str:
    """Return the secret that signs tokens here; raises UnsafeSettings where there is none."""
    if "CONCORD_TOKEN_SECRET" not in os.environ:
        file = Path(os.environ.get("CONCORD_HOME", ".concord")) / "run" / "token-secret"
        if not file.is_file():
            raise UnsafeSettings(f"CONCORD_TOKEN_SECRET is not set, and there is no {file}")
        return file.read_text().strip()
    secret = Settings.from_environment().token_secret
    if secret is None:
        raise UnsafeSettings(
            "this installation accepts tokens of its identity provider and issues none"
        )
    return secret.get_secret_value()


def chosen_roles(name: str, roles: str | None) -> tuple[Role, ...]:
    """Return the given roles; else the role called `name`, or the roles of the person `name`.

    Raises typer.BadParameter where there is no such person or role.
    """
    if roles is not None:
        chosen = tuple(role.strip() for role in roles.split(",") if role.strip())
    elif name in ROLES:
        chosen = (name,)
    elif name in PERSONAS:
        return PERSONAS[name]
    else:
        raise typer.BadParameter(
            f"there is no person or role {name}: give --roles, or one of\n{personas()}"
        )
    unknown = [role for role in chosen if role not in ROLES]
    if unknown:
        raise typer.BadParameter(
            f"unknown role {', '.join(unknown)}; the roles are {', '.join(ROLES)}"
        )
    return cast(tuple[Role, ...], chosen)


def main(
    name: Annotated[str, typer.Option("--as", help="A local person, a role, or any id.")],
    roles: Annotated[str | None, typer.Option(help="Roles, separated by commas.")] = None,
    hours: Annotated[
        float, typer.Option(min=0.01, max=LONGEST / timedelta(hours=1), help="Hours of validity.")
    ] = 8,
) -> None:
    """Print a bearer token for a person with roles."""
    chosen = chosen_roles(name, roles)
    try:
        secret = secret_here()
    except UnsafeSettings as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    typer.echo(
        issue(
            secret,
            name,
            chosen,
            issuer=LOCAL_ISSUER,
            now=datetime.now(UTC),
            valid=timedelta(hours=hours),
        )
    )


if __name__ == "__main__":
    typer.run(main)
