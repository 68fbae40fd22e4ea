"""Who answers: an endpoint, the embedded model, or a file of recorded answers."""
