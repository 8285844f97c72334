"""The running service: container, health checks, operator routes, start and stop."""
