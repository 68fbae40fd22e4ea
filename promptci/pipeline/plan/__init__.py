"""Plan the questions of a run: what is asked, in which order, by which shard, at what price."""
