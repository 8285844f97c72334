"""Fold everything again from the topics: ``python -m gateway.rebuild`` (``make rebuild``).

A running gateway takes the request up within seconds; one that starts later, when it starts. The
departments' events and the gateway's own, waivers among them, are all on the topics.
"""

import asyncio
import sys

from chassis.base.settings import Settings, UnsafeSettings
from chassis.eventstore.mongo import Store, StoreAway
from gateway.shelf import Shelf


async def ask(settings: Settings) -> None:
    """Ask for it; raises StoreAway."""
    store = Store(settings.store_url.get_secret_value(), settings.store_database or "gateway")
    try:
        await Shelf(store).fold_again()
    finally:
        await store.close()


def main() -> None:
    """Ask for it, and say what happens next."""
    try:
        asyncio.run(ask(Settings.from_environment()))
    except (UnsafeSettings, StoreAway) as trouble:
        sys.stderr.write(f"The gateway's view cannot be rebuilt now: {trouble}\n")
        sys.exit(1)
    sys.stdout.write("The gateway forgets its views and folds every event again from the topics.\n")


if __name__ == "__main__":
    main()
