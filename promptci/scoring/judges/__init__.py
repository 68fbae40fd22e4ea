"""Language models as judges: asking them, reading what they reply, and how far they can be trusted."""
