"""Files next to prompts and goldens that decide as the base revision has them: labels, quarantine, rubric."""
