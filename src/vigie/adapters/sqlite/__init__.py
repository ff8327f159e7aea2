"""What every SQLite store of Vigie shares: the file, its lock, its migrations, its statements."""
