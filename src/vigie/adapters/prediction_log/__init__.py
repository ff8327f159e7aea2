"""Where answers and their outcomes are remembered."""
