"""HTTP: command and list routes, request parsing, authentication, problems, limits."""
