"""Pure building blocks without I/O: ids, clock, errors, pagination, filters."""
