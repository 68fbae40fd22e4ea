"""What a run reads from the memory of earlier ones, and adds to it."""
