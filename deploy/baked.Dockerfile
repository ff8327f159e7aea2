# A server with its model in it: nothing to fetch at start, and an image is a version. In the project's folder:
#
#   VIGIE_STORES__BUNDLES=bundles vigie follow --once
#   docker build -f baked.Dockerfile -t churn/serve:1 .
ARG SERVE=vigie/serve
FROM ${SERVE}
WORKDIR /project
COPY vigie.toml ./
COPY --chown=10001:10001 bundles ./bundles
ENV VIGIE_STORES__BUNDLES=bundles
