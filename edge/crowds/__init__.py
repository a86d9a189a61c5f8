"""What the rules count, over weeks, and the threshold that it suggests."""
