"""The site of one or several repositories, and its demo."""
