"""Import of trained weights and word vectors from files into specs."""
