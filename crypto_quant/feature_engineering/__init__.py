"""The catalog of features and the stream that computes them; the operators are native."""
