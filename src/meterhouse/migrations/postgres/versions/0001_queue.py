"""The tables of the background queue, as the pinned queue library defines them."""

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0001"
down_revision = None


def upgrade() -> None:
    # The driver's own cursor: the script holds colons and percent signs that must not become parameters.
    cursor = op.get_bind().connection.cursor()
    cursor.execute(SchemaManager.get_schema())
    cursor.close()
