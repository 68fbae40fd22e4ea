"""What production does: tables of the request log."""
