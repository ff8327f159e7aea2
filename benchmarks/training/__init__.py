"""The training benchmark; ``benchmark`` is its protocol. This file imports nothing, see ``benchmarks``."""
