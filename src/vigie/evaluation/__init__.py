"""How good predictions are, how sure we are of it, and whether two models really differ."""
