"""What must survive, behind one interface that passes dataclasses. All statements of the database are in this room."""
