"""Composition roots, one a process: the only place where adapters, settings and verbs are put together."""
