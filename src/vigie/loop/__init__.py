"""The verbs of the loop, one use case a file: the only place where the stages meet."""
