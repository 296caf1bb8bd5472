"""The rows of the promise, a file to a family."""
