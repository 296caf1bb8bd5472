"""The layers: one concept a file, the derivative under its forward."""
