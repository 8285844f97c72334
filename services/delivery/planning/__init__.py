"""The plan: scheduled from a template, drafted, baselined."""
