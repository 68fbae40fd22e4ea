"""What every entry point shares: the environment of a use case, its requests, the error boundary, progress."""
