"""How runs went, in numbers: for the head of the administration's list."""
