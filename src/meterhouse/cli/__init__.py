"""The command line. Client commands start quickly: server modules are imported inside the commands."""
