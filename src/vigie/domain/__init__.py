"""The nouns of the loop: values without I/O that every room speaks in."""
