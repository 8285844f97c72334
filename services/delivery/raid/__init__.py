"""The RAID log: risks, issues, actions, assumptions and decisions."""
