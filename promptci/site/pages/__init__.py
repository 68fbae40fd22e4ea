"""Draw the pages, the feed and the badges."""
