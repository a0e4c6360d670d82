# syntax=docker/dockerfile:1

# The program as JavaScript. Compilers and tests stay in this stage.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Without install scripts: every native package brings its binaries, and no package runs code here.
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build

# What the program needs at run time, and nothing else.
FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts && npm cache clean --force

FROM node:24-bookworm-slim
ENV NODE_ENV=production
COPY --from=packages /app/node_modules /app/node_modules
COPY --from=build /app/dist /app/dist
COPY package.json LICENSE /app/
COPY rules /app/rules
# Sluice writes below /data only, so the root file system may be read-only.
RUN mkdir /data && chown 1000:1000 /data
VOLUME /data
# As a number, so that Kubernetes can see that it is not root.
USER 1000:1000
# From here the defaults of the config, ./data and ./rules, are /data and /rules.
WORKDIR /
EXPOSE 8090
STOPSIGNAL SIGTERM
# SLUICE_ADMIN is where the commands look for the daemon; set it when admin.listen is another port.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["node", "-e", "fetch(new URL('/health/live', process.env.SLUICE_ADMIN ?? 'http://127.0.0.1:8090')).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/dist/main.js"]
CMD ["run"]
