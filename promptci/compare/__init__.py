"""Base against head: pairs, sizes of effect, intervals. No verdicts here."""
