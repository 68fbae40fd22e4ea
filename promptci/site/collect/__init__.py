"""Read what the site shows: releases, deployments, and the records of the history branch."""
