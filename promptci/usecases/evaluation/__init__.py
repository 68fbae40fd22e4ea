"""Use cases that evaluate prompts: check, run, merge."""
