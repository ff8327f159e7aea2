"""From a table to fitted candidates in order of merit."""
