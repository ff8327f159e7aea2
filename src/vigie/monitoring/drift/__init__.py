"""How far two samples are apart, one statistic a file, all of them from counts."""
