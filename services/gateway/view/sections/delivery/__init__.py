"""Keep what Delivery publishes; `section` composes it."""
