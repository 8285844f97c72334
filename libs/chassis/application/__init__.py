"""Command and event handlers, the stream repository, deadlines and read models."""
