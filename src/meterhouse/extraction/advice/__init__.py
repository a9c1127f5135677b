"""A language model as adviser: it sees numbered candidates and answers with numbers and names alone."""
