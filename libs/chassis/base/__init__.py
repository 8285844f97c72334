"""Settings, telemetry and small helpers that every other package uses."""
