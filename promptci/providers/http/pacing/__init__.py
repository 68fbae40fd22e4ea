"""How many calls at once, and how fast they leave: found out from what an endpoint answers and refuses."""
