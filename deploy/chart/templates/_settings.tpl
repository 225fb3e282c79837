{{- /* What all parts are told, as the content of a ConfigMap. */ -}}
{{- define "conntrail.settings" -}}
CONNTRAIL_CLUSTER: {{ .Values.clusterName | quote }}
CONNTRAIL_KAFKA__BOOTSTRAP_SERVERS: {{ .Values.kafka.bootstrapServers | quote }}
CONNTRAIL_KAFKA__SECURITY_PROTOCOL: {{ .Values.kafka.securityProtocol | quote }}
CONNTRAIL_KAFKA__SASL_MECHANISM: {{ .Values.kafka.saslMechanism | quote }}
CONNTRAIL_KAFKA__TOPIC_PREFIX: {{ .Values.kafka.topicPrefix | quote }}
CONNTRAIL_KAFKA__PARTITIONS: {{ .Values.kafka.partitions | quote }}
CONNTRAIL_KAFKA__REPLICATION: {{ .Values.kafka.replication | quote }}
CONNTRAIL_ELASTICSEARCH__HOSTS: {{ .Values.elasticsearch.hosts | quote }}
CONNTRAIL_ELASTICSEARCH__NAMESPACE: {{ .Values.elasticsearch.namespace | quote }}
CONNTRAIL_LOG__FORMAT: json
{{- include "conntrail.moreSettings" (dict "root" $ "isAgent" false) }}
{{- end }}

{{- /* Those of node agents are told to nobody else, who would want AGENT__HASH_KEY with them. */ -}}
{{- define "conntrail.moreSettings" -}}
{{- range $name, $value := .root.Values.settings }}
{{- if eq (hasPrefix "AGENT__" $name) $.isAgent }}
{{- /* Numbers of values files are floats, which Helm would print as 2e+09. */}}
{{- if kindIs "float64" $value }}{{ if eq (floor $value) $value }}{{ $value = int64 $value }}{{ end }}{{ end }}
CONNTRAIL_{{ $name }}: {{ $value | quote }}
{{- end }}
{{- end }}
{{- end }}

{{- define "conntrail.secretSettings" -}}
{{- range $name, $secret := .root.Values.secretSettings }}
{{- if or (not (hasPrefix "AGENT__" $name)) (eq $.component "agent") }}
- name: CONNTRAIL_{{ $name }}
  valueFrom: {secretKeyRef: {name: {{ $secret.existingSecret }}, key: {{ $secret.key }}}}
{{- end }}
{{- end }}
{{- end }}

{{- /* Name and password of one part. */ -}}
{{- define "conntrail.kafkaUser" -}}
{{- $user := index .root.Values.kafka.users .user -}}
{{- if hasPrefix "SASL" .root.Values.kafka.securityProtocol }}
{{- if not $user.existingSecret }}{{ fail (printf "kafka.users.%s.existingSecret is needed with %s" .user .root.Values.kafka.securityProtocol) }}{{ end }}
- name: CONNTRAIL_KAFKA__SASL_USERNAME
  {{- if $user.username }}
  value: {{ $user.username | quote }}
  {{- else }}
  valueFrom: {secretKeyRef: {name: {{ $user.existingSecret }}, key: {{ $user.usernameKey }}}}
  {{- end }}
- name: CONNTRAIL_KAFKA__SASL_PASSWORD
  valueFrom: {secretKeyRef: {name: {{ $user.existingSecret }}, key: {{ $user.passwordKey }}}}
{{- end }}
{{- with .root.Values.kafka.ca.existingSecret }}
- {name: CONNTRAIL_KAFKA__SSL_CA_LOCATION, value: /etc/conntrail/kafka/ca.crt}
{{- end }}
{{- end }}

{{- define "conntrail.elasticsearchKey" -}}
{{- $key := index .root.Values.elasticsearch.apiKeys .user -}}
{{- if $key.existingSecret }}
- name: CONNTRAIL_ELASTICSEARCH__API_KEY
  valueFrom: {secretKeyRef: {name: {{ $key.existingSecret }}, key: {{ $key.key }}}}
{{- end }}
{{- with .root.Values.elasticsearch.ca.existingSecret }}
- {name: CONNTRAIL_ELASTICSEARCH__CA_CERTS, value: /etc/conntrail/elasticsearch/ca.crt}
{{- end }}
{{- end }}

{{- define "conntrail.statusAddress" -}}
- {name: CONNTRAIL_HTTP__ADDRESS, value: "{{ .Values.status.host }}:{{ .Values.status.port }}"}
{{- with .Values.status }}{{ if .existingSecret }}
- name: CONNTRAIL_HTTP__TOKEN
  valueFrom: {secretKeyRef: {name: {{ .existingSecret }}, key: {{ .tokenKey }}}}
{{- end }}{{ end }}
{{- end }}

{{- define "conntrail.kafkaVolume" -}}
{{- with .Values.kafka.ca }}{{ if .existingSecret }}
- name: kafka-ca
  secret: {secretName: {{ .existingSecret }}, items: [{key: {{ .key }}, path: ca.crt}]}
{{- end }}{{ end }}
{{- end }}

{{- define "conntrail.kafkaMount" -}}
{{- if .Values.kafka.ca.existingSecret }}
- {name: kafka-ca, mountPath: /etc/conntrail/kafka, readOnly: true}
{{- end }}
{{- end }}

{{- define "conntrail.elasticsearchVolume" -}}
{{- with .Values.elasticsearch.ca }}{{ if .existingSecret }}
- name: elasticsearch-ca
  secret: {secretName: {{ .existingSecret }}, items: [{key: {{ .key }}, path: ca.crt}]}
{{- end }}{{ end }}
{{- end }}

{{- define "conntrail.elasticsearchMount" -}}
{{- if .Values.elasticsearch.ca.existingSecret }}
- {name: elasticsearch-ca, mountPath: /etc/conntrail/elasticsearch, readOnly: true}
{{- end }}
{{- end }}
