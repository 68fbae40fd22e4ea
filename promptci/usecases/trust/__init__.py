"""Use cases that measure what a gate can be trusted with: selftest, power, judge calibration."""
