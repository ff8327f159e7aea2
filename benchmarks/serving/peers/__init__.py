"""What runs in other environments, or beside them: programs of their own."""
