"""When an alarm leads to a new model."""
