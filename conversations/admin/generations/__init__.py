"""The admin of generations: the list with its summary, one generation, and what staff can do with it."""
