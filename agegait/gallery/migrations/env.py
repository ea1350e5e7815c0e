"""What Alembic runs: the migrations, in the transaction of the connection that it was given."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], version_table="gallery_version")
with context.begin_transaction():
    context.run_migrations()
