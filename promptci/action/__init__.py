"""What only the GitHub Action does: from the event to a request, from the outcome to what GitHub is told."""
