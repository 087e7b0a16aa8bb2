"""The local planning page: edit a scenario, plan it, watch, compare, and move a price or a temperature."""
