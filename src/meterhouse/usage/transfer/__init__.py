"""Events out of and into files: CSV, JSON lines and Parquet, streamed both ways in bounded memory."""
