# The worker, and the command line with it. Build: docker build -t understudy . ; run: docker run understudy [command]
FROM node:24.11.1-bookworm-slim AS build
WORKDIR /app
# What is installed changes less often than the sources: its layer comes first.
COPY package.json package-lock.json .npmrc ./
# Without the workspaces: the local Azure has no place in a worker.
RUN npm ci --workspaces=false
COPY . .
RUN npm run build && npm prune --omit=dev --workspaces=false

FROM node:24.11.1-bookworm-slim
# ca-certificates: Temporal's core verifies TLS with the system's; git: config files live in working copies.
RUN apt-get update \
  && apt-get install -y --no-install-recommends ca-certificates git \
  && rm -rf /var/lib/apt/lists/*
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build --chown=root:root /app/package.json ./
COPY --from=build --chown=root:root /app/node_modules ./node_modules
COPY --from=build --chown=root:root /app/dist ./dist
COPY --from=build --chown=root:root /app/bin ./bin
COPY --from=build --chown=root:root /app/templates ./templates
USER node
ENTRYPOINT ["node", "bin/understudy.mjs"]
CMD ["worker"]
