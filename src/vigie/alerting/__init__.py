"""What of a verdict is worth telling a person, and in which words."""
