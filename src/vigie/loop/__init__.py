"""The verbs: one use case a file, the only place where stages meet."""
