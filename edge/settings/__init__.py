"""What was changed while the box ran, laid over its configuration file."""
