"""Pictures of the product, taken of its real parts: `make screenshots` puts them into docs/screenshots/."""
