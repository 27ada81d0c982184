"""The vocabulary that both halves share: kinds and keys, range names, values. Data only, no formulas."""
