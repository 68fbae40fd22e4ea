"""The request log that an application writes, read line by line."""
