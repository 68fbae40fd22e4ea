"""Collect what a change touches: prompts and goldens of both revisions, labels, quarantine, configuration."""
