"""The providers of answers, and the requests to them."""
