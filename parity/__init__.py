"""numpycnn held against PyTorch: the promise as a table, the laws it must obey, and the judge."""
