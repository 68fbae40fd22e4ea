"""Deployment files in git: what an environment runs, since when, and a change of it."""
