"""Commands of releases and deployments, one file per command."""
