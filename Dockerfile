# any image with Python 3.11 or newer, its venv module and CA certificates
ARG BASE=docker.io/library/python:3.14.2-slim-trixie

FROM ${BASE} AS build
WORKDIR /src
COPY . .
RUN python3 -m venv /tools \
    && python3 -m venv --without-pip /opt/exporter \
    && /tools/bin/pip wheel --no-cache-dir --no-deps --wheel-dir /dist . \
    && /tools/bin/pip --python /opt/exporter/bin/python install \
        --no-cache-dir --constraint constraints.txt /dist/*.whl

FROM ${BASE}
COPY --from=build /opt/exporter /opt/exporter
ENV PATH=/opt/exporter/bin:$PATH
USER 65532:65532
EXPOSE 10198
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s \
    CMD ["binance-asset-index-exporter", "--healthcheck"]
ENTRYPOINT ["binance-asset-index-exporter"]

# last, so that a new revision changes no layer
ARG EXPORTER_REVISION=unknown
ENV EXPORTER_REVISION=${EXPORTER_REVISION}
LABEL org.opencontainers.image.title="binance-asset-index-exporter" \
      org.opencontainers.image.description="Prometheus exporter for the asset index of Binance USDⓈ-M futures' Multi-Assets mode" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.url="https://github.com/binance-asset-index-exporter/binance-asset-index-exporter" \
      org.opencontainers.image.source="https://github.com/binance-asset-index-exporter/binance-asset-index-exporter" \
      org.opencontainers.image.revision="${EXPORTER_REVISION}"
