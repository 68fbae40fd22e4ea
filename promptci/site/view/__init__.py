"""From records to what a page says: stages, gates, series of figures. No git, no files, no HTML."""
