"""Progress of tasks, milestones and status reports."""
