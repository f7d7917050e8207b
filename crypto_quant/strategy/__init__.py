"""From predictions to approved orders: signals, positions, carry, risk."""
