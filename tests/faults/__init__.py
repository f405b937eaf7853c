"""What the product keeps to while everything around it fails."""
