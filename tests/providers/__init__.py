"""Where answers come from: endpoints, models, what providers say and refuse."""
