"""What became of the plan in the code, field by field."""
