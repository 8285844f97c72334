"""The end of an engagement: go-live, review, settlement, closing."""
