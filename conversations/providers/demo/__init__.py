"""The demo model: sample answers over the same interface as a real provider, until one is connected."""
