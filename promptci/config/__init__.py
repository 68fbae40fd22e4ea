"""promptci.yml: found, validated, and split into the options of each package."""
