FROM docker.io/library/python:3.13-slim-bookworm

# `local` brings the embedded model's engine; an empty value leaves it out.
ARG EXTRAS=local

RUN command -v git >/dev/null \
 || { apt-get update && apt-get install --yes --no-install-recommends git && rm -rf /var/lib/apt/lists/*; }

RUN python -m venv /opt/promptci/venv

COPY pyproject.toml README.md LICENSE /opt/promptci/src/
COPY promptci /opt/promptci/src/promptci
COPY templates /opt/promptci/src/templates
COPY example-repo /opt/promptci/src/example-repo
COPY entrypoint.py /opt/promptci/entrypoint.py

RUN /opt/promptci/venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check \
    "/opt/promptci/src${EXTRAS:+[$EXTRAS]}"

# matplotlib keeps its list of fonts here, made once now, instead of in the runner's home on every run.
ENV MPLCONFIGDIR=/opt/promptci/matplotlib
RUN /opt/promptci/venv/bin/python -c 'import matplotlib.font_manager'

# No USER and no WORKDIR: a runner mounts folders that belong to others, and sets the working folder itself.
# What is written is handed back to the workspace's owner.
ENTRYPOINT ["/opt/promptci/venv/bin/python", "/opt/promptci/entrypoint.py"]
