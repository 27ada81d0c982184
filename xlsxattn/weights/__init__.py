"""The third room: trained weights and word vectors from files, made ready for a spec."""
