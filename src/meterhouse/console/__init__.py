"""The pages of Meterhouse: the console at `/` and the API reference at `/docs`."""
