"""Take over engagements that are under way, from files (docs/how-to/take-over-engagements.md)."""
