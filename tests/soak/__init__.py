"""The soak: the exporter as a process, an exchange that plays faults, clients of all kinds."""
