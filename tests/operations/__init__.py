"""Starting, configuring, watching and cleaning up."""
