"""Records on the branch promptci/history: what is kept of nights, canaries, alerts and decisions."""
