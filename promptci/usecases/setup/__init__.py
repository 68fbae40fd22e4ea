"""Use cases that set a repository up: init, doctor, demo."""
