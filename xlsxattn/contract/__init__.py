"""The vocabulary that both halves share: what the words of a workbook are, and nothing that computes."""
