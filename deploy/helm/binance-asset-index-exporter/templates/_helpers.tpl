{{/* Name of the chart, in the labels. */}}
{{- define "binance-asset-index-exporter.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/*
Name of the objects. 52 characters at most leave room for endings such as -config, and for the hashes in the
names of pods. A release that has the chart's name in its own does not repeat it.
*/}}
{{- define "binance-asset-index-exporter.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) }}
{{- default $full .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- end }}

{{- define "binance-asset-index-exporter.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride }}
{{- end }}

{{- define "binance-asset-index-exporter.chart" -}}
{{- printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "binance-asset-index-exporter.selectorLabels" -}}
app.kubernetes.io/name: {{ include "binance-asset-index-exporter.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* Labels that every object has, those of a test pod included. */}}
{{- define "binance-asset-index-exporter.commonLabels" -}}
helm.sh/chart: {{ include "binance-asset-index-exporter.chart" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "binance-asset-index-exporter.labels" -}}
{{ include "binance-asset-index-exporter.selectorLabels" . }}
{{ include "binance-asset-index-exporter.commonLabels" . }}
{{- end }}

{{/* A test pod must not look like a replica: the Service would send it requests. */}}
{{- define "binance-asset-index-exporter.testLabels" -}}
app.kubernetes.io/name: {{ include "binance-asset-index-exporter.name" . | trunc 58 }}-test
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "binance-asset-index-exporter.serviceAccountName" -}}
{{- $name := ternary (include "binance-asset-index-exporter.fullname" .) "default" .Values.serviceAccount.create }}
{{- default $name .Values.serviceAccount.name }}
{{- end }}

{{- define "binance-asset-index-exporter.image" -}}
{{- $global := .Values.global | default dict }}
{{- with default .Values.image.registry $global.imageRegistry }}{{ . }}/{{ end }}
{{- .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- with .Values.image.digest }}@{{ . }}{{ end }}
{{- end }}

{{/* The text of a file that the values give as YAML or as text. */}}
{{- define "binance-asset-index-exporter.text" -}}
{{- ternary . (toYaml .) (kindIs "string" .) }}
{{- end }}

{{/* Names of the Secrets with the two configuration files; empty: there is no such file. */}}
{{- define "binance-asset-index-exporter.configSecret" -}}
{{- if and .Values.config .Values.existingConfigSecret }}
{{- fail "set either config or existingConfigSecret, not both" }}
{{- end }}
{{- $own := printf "%s-config" (include "binance-asset-index-exporter.fullname" .) }}
{{- ternary $own .Values.existingConfigSecret (not (empty .Values.config)) }}
{{- end }}

{{- define "binance-asset-index-exporter.webConfigSecret" -}}
{{- if and .Values.webConfig .Values.existingWebConfigSecret }}
{{- fail "set either webConfig or existingWebConfigSecret, not both" }}
{{- end }}
{{- $own := printf "%s-web" (include "binance-asset-index-exporter.fullname" .) }}
{{- $name := ternary $own .Values.existingWebConfigSecret (not (empty .Values.webConfig)) }}
{{- if and .Values.webTlsSecret (not $name) }}
{{- fail "webTlsSecret needs a webConfig that names its files: tls_server_config with cert_file: tls.crt and key_file: tls.key" }}
{{- end }}
{{- $name }}
{{- end }}

{{/* What the web configuration in the values says; nothing if it is in a Secret. */}}
{{- define "binance-asset-index-exporter.web" -}}
{{- $web := include "binance-asset-index-exporter.text" .Values.webConfig | fromYaml }}
{{- if hasKey $web "Error" }}
{{- fail (printf "webConfig is not YAML: %s" $web.Error) }}
{{- end }}
{{- toYaml $web }}
{{- end }}

{{- define "binance-asset-index-exporter.scheme" -}}
{{- $web := include "binance-asset-index-exporter.web" . | fromYaml }}
{{- ternary "https" "http" (hasKey $web "tls_server_config") }}
{{- end }}

{{/* What of the web configuration the exporter switches on or off only when it starts. */}}
{{- define "binance-asset-index-exporter.switches" -}}
{{- $web := include "binance-asset-index-exporter.web" . | fromYaml }}
{{- $passwords := ternary "passwords" "no passwords" (not (empty $web.basic_auth_users)) }}
{{- $clients := dig "tls_server_config" "client_auth_type" "NoClientCert" $web }}
{{- printf "%s, %s, %s" (include "binance-asset-index-exporter.scheme" .) $passwords $clients }}
{{- end }}

{{/* "true" if a probe of the kubelet may be refused: it has no password and no certificate. */}}
{{- define "binance-asset-index-exporter.needsLogin" -}}
{{- $web := include "binance-asset-index-exporter.web" . | fromYaml }}
{{- $clients := dig "tls_server_config" "client_auth_type" "" $web }}
{{- if or .Values.existingWebConfigSecret $web.basic_auth_users (eq $clients "RequireAndVerifyClientCert") }}true{{ end }}
{{- end }}

{{/* A probe: its timing, and how to ask a path. Takes root, probe and path. */}}
{{- define "binance-asset-index-exporter.probe" -}}
{{- $handler := dict }}
{{- if and (include "binance-asset-index-exporter.needsLogin" .root) (eq .path "/-/ready") }}
{{- $_ := set $handler "tcpSocket" (dict "port" "http") }}
{{- else if include "binance-asset-index-exporter.needsLogin" .root }}
{{- $address := printf "--web.listen-address=:%v" .root.Values.containerPort }}
{{- $_ := set $handler "exec" (dict "command" (list "binance-asset-index-exporter" "--healthcheck" $address)) }}
{{- else }}
{{- $scheme := include "binance-asset-index-exporter.scheme" .root | upper }}
{{- $_ := set $handler "httpGet" (dict "path" .path "port" "http" "scheme" $scheme) }}
{{- end }}
{{- range list "httpGet" "exec" "tcpSocket" "grpc" }}
{{- if hasKey $.probe . }}{{ $handler = dict }}{{ end }}
{{- end }}
{{- toYaml (merge $handler .probe) }}
{{- end }}

{{/* A duration of Prometheus, such as 1m30s, in milliseconds. */}}
{{- define "binance-asset-index-exporter.milliseconds" -}}
{{- $units := dict "ms" 1 "s" 1000 "m" 60000 "h" 3600000 }}
{{- $sum := 0 }}
{{- range regexFindAll "[0-9]+(ms|[smh])" . -1 }}
{{- $sum = add $sum (mul (regexFind "^[0-9]+" .) (get $units (regexFind "[a-z]+$" .))) }}
{{- end }}
{{- $sum }}
{{- end }}

{{/* Fails unless offset < timeout < interval. Takes what, interval, scrapeTimeout and offset. */}}
{{- define "binance-asset-index-exporter.checkTimeout" -}}
{{- $interval := include "binance-asset-index-exporter.milliseconds" .interval | int64 }}
{{- $timeout := include "binance-asset-index-exporter.milliseconds" .scrapeTimeout | int64 }}
{{- if ge $timeout $interval }}
{{- fail (printf "%s: scrapeTimeout (%s) must be shorter than interval (%s)" .what .scrapeTimeout .interval) }}
{{- end }}
{{- if le $timeout (mulf .offset 1000 | int64) }}
{{- fail (printf "%s: scrapeTimeout (%s) must be longer than timeoutOffset (%vs)" .what .scrapeTimeout .offset) }}
{{- end }}
{{- end }}
