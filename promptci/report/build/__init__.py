"""From the findings of a run to the view that every output is drawn from."""
