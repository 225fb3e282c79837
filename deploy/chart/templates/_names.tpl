{{- define "conntrail.selector" -}}
app.kubernetes.io/name: conntrail
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "conntrail.labels" -}}
{{ include "conntrail.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: conntrail
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{- /* Of a part: the release's name alone would be taken twice by two parts. */ -}}
{{- define "conntrail.name" -}}
{{- if eq .root.Release.Name "conntrail" -}}
conntrail-{{ .component }}
{{- else -}}
{{- $name := printf "%s-conntrail-%s" .root.Release.Name .component -}}
{{- /* A StatefulSet adds eleven characters, for a label of 63; cut short, two groups of workers would have one name. */ -}}
{{- if gt (len $name) 52 }}{{ fail (printf "the name %s is longer than 52 characters: choose a shorter one for the release" $name) }}{{ end -}}
{{ $name }}
{{- end -}}
{{- end }}

{{- define "conntrail.image" -}}
{{- $images := .root.Values.images -}}
{{- $digest := index $images.digests .image -}}
{{ $images.repository }}/conntrail-{{ .image }}{{ if $digest }}@{{ $digest }}{{ else }}:{{ $images.tag | default .root.Chart.AppVersion }}{{ end }}
{{- end }}
