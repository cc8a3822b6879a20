"""How the questions of every reading and posting reach PostgreSQL: compiled once, prepared once, few trips."""
