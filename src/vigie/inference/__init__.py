"""From a request body to predictions: typed columns under a schema, a scorer, and the slot it serves from."""
