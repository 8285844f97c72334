"""Request a rebuild of all views from the topics: ``python -m gateway.rebuild``.

``make rebuild`` runs it. A running gateway begins within seconds, another one when it starts. The
topics contain all that is needed: the departments' events and the gateway's own, with waivers.
"""

import asyncio
import sys

from chassis.base.settings import Settings, UnsafeSettings
from chassis.eventstore.mongo import Store, StoreAway
from gateway.projection.view_store import ViewStore


async def ask(settings: Settings) -> None:
    """Request the rebuild; raises StoreAway."""
    store = Store(settings.store_url.get_secret_value(), settings.store_database or "gateway")
    try:
        await ViewStore(store).request_rebuild()
    finally:
        await store.close()


def main() -> None:
    """Request the rebuild, and print what happens next; exit with 1 where it is not possible."""
    try:
        asyncio.run(ask(Settings.from_environment()))
    except (UnsafeSettings, StoreAway) as trouble:
        sys.stderr.write(f"The gateway's views cannot be rebuilt now: {trouble}\n")
        sys.exit(1)
    sys.stdout.write("The gateway deletes its views and processes all events again.\n")


if __name__ == "__main__":
    main()
