"""What makes a golden set say less than it seems to."""
