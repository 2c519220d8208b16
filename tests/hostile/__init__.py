"""A server that misbehaves in every way of its table, and runs against it beside a target that is well."""
