# Gatewright as an image: no shell, no package manager, not root, nothing to write to but /data.
#
#   docker build -t gatewright:0.1.0 .
#   docker run --read-only --cap-drop ALL --security-opt no-new-privileges \
#     -v "$PWD/config:/etc/gatewright:ro" -v audit:/data -p 127.0.0.1:8080:8080 gatewright:0.1.0
#
# The tags move, so a build that must be repeatable gives digests: --build-arg RUNTIME_IMAGE=…@sha256:… (see
# deploy/README.md). None is written here because none has been checked against the registry.
ARG BUILD_IMAGE=node:24.14.1-trixie-slim
ARG RUNTIME_IMAGE=gcr.io/distroless/nodejs24-debian13:nonroot

FROM ${BUILD_IMAGE} AS manifest
WORKDIR /app
COPY package.json package-lock.json .npmrc ./

# The workspace test/runtime holds Node itself for checkouts; the images bring their own, so workspaces stay out.
FROM manifest AS build
RUN npm ci --workspaces=false --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY proxy ./proxy
RUN npm run build

FROM manifest AS dependencies
RUN npm ci --workspaces=false --ignore-scripts --omit=dev && mkdir /data

FROM ${RUNTIME_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="gatewright" \
      org.opencontainers.image.description="Policy-enforcement proxy for AI agents" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# One arena for all threads: ten thousand open streams take about 20 MiB less, and no request takes longer. Room for young
# objects as on a machine of 2 GiB, whatever the container's limit: below it V8 would take so little that calls cost a quarter more
# CPU (1 MiB at 512 MiB), above it up to 50 MiB that nobody needs.
ENV NODE_ENV=production MALLOC_ARENA_MAX=1 NODE_OPTIONS=--max-semi-space-size=16
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json LICENSE ./
COPY policies ./policies
# Code and dependencies belong to root: the process cannot change what it runs.
COPY --from=dependencies --chown=65532:65532 /data /data
VOLUME ["/data"]
# A number, so that Kubernetes can tell that it is not root.
USER 65532:65532
EXPOSE 8080 9901
STOPSIGNAL SIGTERM
# Asks over the loopback, so it also works where the admin listener is bound to 0.0.0.0.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["/nodejs/bin/node", "-e", "fetch('http://127.0.0.1:9901/livez').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["/nodejs/bin/node", "/app/dist/main.js"]
CMD ["serve", "--config", "/etc/gatewright"]
