"""Everything that ends an answer early: Stop, leaving, signing out, a lost network, a restart."""
