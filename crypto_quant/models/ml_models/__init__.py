"""Classical learners behind the model protocol."""
