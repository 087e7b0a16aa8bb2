"""One stage on one group of devices: time, memory and power by component."""
