"""The models on offer: read from the admin's rows and the endpoints' own lists, kept in memory."""
