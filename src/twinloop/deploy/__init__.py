"""From a plan to the files that run it: images, manifests, queues that know the cooling, checks, apply.

Everything here is pure text in, text out; only ``twinloop.cli`` talks to a cluster.
"""
