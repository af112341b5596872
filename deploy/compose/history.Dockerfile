# Writes a day of history into a Prometheus volume: the exporter, with Prometheus's programs beside it.
ARG BASE=docker.io/library/python:3.14.2-slim-trixie
ARG PROMETHEUS=docker.io/prom/prometheus:v3.5.0

FROM ${PROMETHEUS} AS prometheus

FROM ${BASE}
COPY --from=prometheus /bin/prometheus /bin/promtool /usr/local/bin/
WORKDIR /src
COPY . .
# the volume takes its owner, Prometheus's, from the first image that uses it
RUN python3 -m venv /opt/exporter \
    && /opt/exporter/bin/pip install --no-cache-dir --constraint constraints.txt . \
    && install -d -o 65534 -g 65534 /prometheus
ENV PATH=/opt/exporter/bin:$PATH
USER 65534:65534
