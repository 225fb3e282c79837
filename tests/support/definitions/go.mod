// Not built: names the modules that carry definitions of custom resources, go.sum says what they hold.
module conntrail.io/tests/definitions

go 1.26.0

require (
	github.com/elastic/cloud-on-k8s/v3 v3.5.0
	github.com/prometheus-operator/prometheus-operator v0.85.0
)
