"""The summary above the list of generations: figures computed from pre-aggregated cells."""
