-- How far back the log goes.

-- Nothing dated before this is in the log any more, or it is being deleted: an export must not replace the file of a
-- day by what is left of it. One row at most; microseconds since 1970, UTC.
CREATE TABLE horizon (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  before INTEGER NOT NULL
) STRICT;
