"""Keep what Finance publishes: `section` for its open channel, `confidential` for the other."""
