"""The pipeline of a run: collect what changed, plan the questions, ask the providers, score the answers."""
