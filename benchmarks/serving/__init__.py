"""How fast one row is answered over HTTP, beside what else would answer it."""
