"""Runs the migrations on the connection that `platform.migrate` holds the lock with."""

from alembic import context
from sqlalchemy import text

connection = context.config.attributes["connection"]
# A migration may not hold up a running server for long: it gives up instead and can be started again.
connection.execute(text("SET lock_timeout = '5s'"))
connection.commit()
context.configure(connection=connection, transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
