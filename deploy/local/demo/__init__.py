"""Generate demo data: the engagements of a made-up company, through the services' HTTP APIs."""
