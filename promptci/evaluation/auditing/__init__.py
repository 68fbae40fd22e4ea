"""What the commands of the audit log share: the decisions that are found, and the story of each version."""
