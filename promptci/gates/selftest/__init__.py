"""The self-test: the gate tried on equal versions, and how large a drop the goldens can show."""
