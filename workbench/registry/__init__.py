"""What many processes write: one database, SQLite by default or PostgreSQL, whose tables the rooms above declare."""
