"""The parts that every service of Concord needs; they know no department."""
