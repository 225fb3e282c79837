{{- /* Of every part but the node agent: nothing that the profile "restricted" of Pod Security forbids. */ -}}
{{- define "conntrail.restrictedPod" -}}
automountServiceAccountToken: {{ .hasToken | default false }}
enableServiceLinks: false
{{- with .root.Values.images.pullSecrets }}
imagePullSecrets: {{ toJson . }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "conntrail.restrictedContainer" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{- define "conntrail.annotations" -}}
{{- if .Values.monitoring.annotations }}
prometheus.io/scrape: "true"
prometheus.io/port: {{ .Values.status.port | quote }}
prometheus.io/path: /metrics
{{- end }}
{{- /* Pods read the ConfigMap as they start: with its sum here a change of it starts them anew. */}}
checksum/settings: {{ include "conntrail.settings" . | sha256sum }}
{{- end }}

{{- define "conntrail.probes" -}}
# A process that cannot go on says so and is started anew; one that waits for Kafka is alive and not ready.
livenessProbe:
  httpGet: {path: /healthz, port: status}
  initialDelaySeconds: 20
  periodSeconds: 20
  timeoutSeconds: 5
  failureThreshold: 4
readinessProbe:
  httpGet: {path: /readyz, port: status}
  periodSeconds: 10
  timeoutSeconds: 5
{{- end }}

{{- define "conntrail.placement" -}}
{{- with .tolerations }}
tolerations: {{ toJson . }}
{{- end }}
{{- with .nodeSelector }}
nodeSelector: {{ toJson . }}
{{- end }}
{{- with .affinity }}
affinity: {{ toJson . }}
{{- end }}
{{- end }}

{{- define "conntrail.spread" -}}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "conntrail.selector" . | nindent 8 }}
{{- end }}
