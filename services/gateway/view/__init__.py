"""The view of one engagement across all departments: its sections, and how events change it."""
