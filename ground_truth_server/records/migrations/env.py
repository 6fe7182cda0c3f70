"""Runs migrations on the connection that the caller gives, in the caller's transaction."""

from alembic import context

from ground_truth_server.records.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=False,  # the caller's transaction holds all of it
    render_as_batch=True,
)
context.run_migrations()
