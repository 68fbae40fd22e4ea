"""The names that each system gives to the fields of a request."""
