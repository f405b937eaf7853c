"""The other processes: notifications to them, their generations shown here, who shows what."""
