"""Additional parts of the fault tests: many pages at once, steady streams, and a checker of invariants."""
