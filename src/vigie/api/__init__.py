"""HTTP: a thin skin over the use cases of the loop."""
