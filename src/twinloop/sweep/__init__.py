"""Many cases of one scenario: every combination of the values that its keys are given."""
