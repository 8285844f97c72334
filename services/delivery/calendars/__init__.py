"""Holiday calendars: reference data."""
