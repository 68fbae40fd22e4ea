"""Use cases of releases: versions, releases, deployments, bundles, rollbacks."""
