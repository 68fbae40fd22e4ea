"""The site: the whole pipeline of one or several repositories as pages that need no server."""
