"""Released versions of prompts: git tags, what is in them, and the bundle that is made of them."""
