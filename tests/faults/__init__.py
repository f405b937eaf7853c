"""What the product guarantees while everything around it fails."""
