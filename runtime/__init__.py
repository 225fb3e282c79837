"""What every process is started with: settings, logs, metrics and health over HTTP.

Knows nothing of flows, Kubernetes or Elasticsearch. The lowest layer: it imports no other package of ours.
"""
