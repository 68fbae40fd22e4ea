"""Write whole files atomically, read text strictly, and give values one canonical form."""
