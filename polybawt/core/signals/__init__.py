"""Pure estimators. Floats live here, and leave only through a named function."""
