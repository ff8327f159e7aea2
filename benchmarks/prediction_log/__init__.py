"""The prediction log benchmark; ``benchmark`` is its protocol. This file imports nothing, see ``benchmarks``."""
