"""The gateway: one view of each engagement, from the events of all departments."""
