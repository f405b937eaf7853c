"""What a developer would write from the usual tutorials, and the least that any program could do."""
