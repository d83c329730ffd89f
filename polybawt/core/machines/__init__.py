"""Every life in the engine, one file per specification in ``models/``."""
