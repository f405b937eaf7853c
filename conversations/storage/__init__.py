"""How answers are saved, and how the database is reached without holding up the event loop."""
