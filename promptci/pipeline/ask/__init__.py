"""Ask the providers and score the answers, in rounds, within budget and deadline; judges included."""
