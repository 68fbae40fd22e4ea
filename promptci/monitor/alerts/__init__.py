"""Rules on monitor.json: what is measured, and when an alert opens and closes."""
