"""Messages, ports, units, errors, clock, config and measures: what the other rooms share."""
