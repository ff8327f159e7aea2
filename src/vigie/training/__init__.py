"""From a table to fitted candidates in order of merit: dataset, split, preprocessing, candidates, search, leaderboard."""
