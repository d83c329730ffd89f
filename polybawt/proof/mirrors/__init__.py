"""One mirror per machine: found by being here."""
