"""Write promptci files from those of other tools."""
