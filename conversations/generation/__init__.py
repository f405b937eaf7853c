"""The generations that this process runs, from the request to the provider to the saved end."""
