"""The walk-forward run: research, training, the portfolio and the rows beside it."""
