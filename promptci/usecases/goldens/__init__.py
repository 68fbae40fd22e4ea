"""Commands about golden cases: what is wrong with a set, and what is in it."""
