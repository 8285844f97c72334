"""The running service: container, health, operations, start and stop."""
