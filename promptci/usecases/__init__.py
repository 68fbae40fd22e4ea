"""Use cases: what a person or a workflow asks promptci to do."""
