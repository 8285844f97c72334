"""The disconnects that the gateway found."""
