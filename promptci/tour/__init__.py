"""Two months of the example repository, played by the commands of promptci, to show the site with."""
