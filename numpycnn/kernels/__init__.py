"""Stateless functions on arrays: index arithmetic and speed live here, and only here."""
