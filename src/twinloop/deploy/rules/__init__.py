"""Rules that schemas miss, by noun: each is one function from the documents of a site to faults."""
