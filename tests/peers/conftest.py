from kube_fixtures import api, client, kubectl  # noqa: F401 - fixtures
