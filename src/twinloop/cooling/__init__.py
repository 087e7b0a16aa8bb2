"""Cooling elements as pure functions in rating form: actuators and inlets give outlets."""
