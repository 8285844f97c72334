"""The journal of commits in MongoDB, snapshots of it, and subscriptions to it."""
