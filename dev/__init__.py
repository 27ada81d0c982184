"""Tools for developers: mutation campaign, gallery, training, benchmarks."""
