"""How fast the functions are, beside straightforward ways to do the same."""
