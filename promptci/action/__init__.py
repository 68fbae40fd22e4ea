"""The GitHub Action: turn the event into a request, and the outcome into outputs, annotations and comments."""
