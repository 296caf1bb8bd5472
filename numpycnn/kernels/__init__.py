"""Functions on arrays: index arithmetic and speed live here, and only here; one switch, and a number of threads."""
