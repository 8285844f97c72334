"""Resources: hours of a role that are requested, and people allocated to them."""
