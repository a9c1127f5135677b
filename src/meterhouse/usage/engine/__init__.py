"""Pure functions of metering: paths, windows, the query compiler and its slow twin. No I/O."""
