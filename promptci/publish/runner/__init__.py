"""The GitHub runner's side: event, inputs, workflow commands, file ownership."""
