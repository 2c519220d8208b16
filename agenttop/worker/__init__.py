"""The process that sends load: its users, its share of the plan, its health. Uses messages; imports no controller."""
