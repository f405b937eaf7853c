"""Starting, configuring, monitoring and cleaning up."""
