"""What every service of Concord needs and that knows no department."""
