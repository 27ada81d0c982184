"""What developers run: the mutation campaign, the gallery, training, benchmarks."""
