# The proxy that speaks TLS: Debian's Caddy, not root.
FROM debian:trixie-slim
RUN apt-get -qq update \
 && apt-get -qq install -y --no-install-recommends caddy ca-certificates >/dev/null \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10002 --user-group --no-create-home --home-dir /var/lib/proxy --shell /usr/sbin/nologin proxy-server \
 && install -d -o proxy-server -g proxy-server -m 700 /var/lib/proxy
COPY Caddyfile /etc/caddy/Caddyfile
ENV XDG_DATA_HOME=/var/lib/proxy XDG_CONFIG_HOME=/var/lib/proxy HOME=/var/lib/proxy
USER proxy-server
VOLUME /var/lib/proxy
CMD ["caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"]
