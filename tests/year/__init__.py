"""A year in the life of a foundation, drawn by a seed: `make year`."""
