FROM docker.io/library/python:3.13-slim-bookworm

# `local` brings the embedded model's engine, `code` reads prompts in scripts; an empty value leaves both out.
ARG EXTRAS="code local"

RUN command -v git >/dev/null \
 || { apt-get update && apt-get install --yes --no-install-recommends git && rm -rf /var/lib/apt/lists/*; }

COPY requirements.lock requirements-code.lock requirements-local.lock /opt/promptci/

# Every file by its hash, ready-made ones only: nothing is built here, and the base's pip is not copied. The libraries'
# own tests are left out; bytecode is made below for what is really imported.
RUN python -m venv --without-pip /opt/promptci/venv \
 && python -m pip --python /opt/promptci/venv/bin/python install --no-cache-dir --disable-pip-version-check \
    --root-user-action=ignore --no-compile --no-deps --require-hashes --only-binary=:all: \
    -r /opt/promptci/requirements.lock $(for extra in $EXTRAS; do echo "-r /opt/promptci/requirements-$extra.lock"; done) \
 && find /opt/promptci/venv/lib -type d -name tests -prune -exec rm -r {} + \
 && echo /opt/promptci/src > "$(echo /opt/promptci/venv/lib/python3*/site-packages)/promptci.pth"

COPY templates /opt/promptci/src/templates
COPY example-repo /opt/promptci/src/example-repo
COPY promptci /opt/promptci/src/promptci
COPY entrypoint.py LICENSE /opt/promptci/src/

# Bytecode of what a run imports, so that it starts quickly; the image shows here that all of it can be imported.
RUN /opt/promptci/venv/bin/python -c "import importlib, pkgutil, promptci; \
[importlib.import_module(found.name) for found in pkgutil.walk_packages(promptci.__path__, 'promptci.') \
 if not found.name.endswith('__main__')]; \
import aiohttp, genai_prices, github, openai.resources.batches, openai.resources.files, numpy.random, rich.progress; \
from promptci.report.templates import environment as report; from promptci.site.pages.frame import environment as site; \
[(site if name.startswith('html/site/') else report)().get_template(name) for name in report().list_templates(['j2'])]"

# No USER and no WORKDIR: a runner mounts folders that belong to others, and sets the working folder itself.
# What is written is handed back to the workspace's owner.
ENTRYPOINT ["/opt/promptci/venv/bin/python", "/opt/promptci/src/entrypoint.py"]
