# Two stages: the first builds wheels and installs them, the second carries only what runs.

FROM python:3.11-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md ./
COPY relay ./relay
RUN python -m pip wheel --no-cache-dir --disable-pip-version-check --constraint constraints.txt --wheel-dir /wheels .
RUN python -m venv /opt/relay
RUN /opt/relay/bin/python -m pip install --no-cache-dir --disable-pip-version-check --no-index --find-links /wheels relay
RUN /opt/relay/bin/python -m pip uninstall --yes --quiet pip setuptools

FROM python:3.11-slim-bookworm
LABEL org.opencontainers.image.title="relay" \
      org.opencontainers.image.description="An SMTP gateway in front of the Mensatek and Planisys DMDS email APIs"
# A fixed number, so that the owner of a mounted volume can be told beforehand.
RUN groupadd --gid 10001 relay \
 && useradd --uid 10001 --gid relay --no-create-home --home-dir /var/lib/relay --shell /usr/sbin/nologin relay \
 && install --directory --owner relay --group relay --mode 0700 /var/lib/relay
COPY --from=build /opt/relay /opt/relay
COPY config/relay.docker.toml /etc/relay/relay.toml
ENV PATH=/opt/relay/bin:$PATH \
    PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /var/lib/relay
VOLUME /var/lib/relay
EXPOSE 2525 8080
STOPSIGNAL SIGTERM
# There is no curl in the image. An answer other than 200 raises, and so does none.
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/livez', timeout=4)"]
ENTRYPOINT ["relay", "serve", "--config", "/etc/relay/relay.toml"]
