"""A process that sends load: its users, its share of the plan, its health. Told by messages; imports no controller."""
