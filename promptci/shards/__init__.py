"""A run that is split over several machines: the part of each, and what it hands to the merge."""
