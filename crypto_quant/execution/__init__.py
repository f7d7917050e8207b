"""From sleeves' targets to orders and commands, and what became of them; no I/O."""
