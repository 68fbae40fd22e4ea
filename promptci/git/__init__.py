"""What git knows: revisions, the files in them, and what changed between two of them."""
