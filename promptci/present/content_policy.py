"""The content policy of a page: its own style and script, and nothing from anywhere else."""

import base64
import hashlib


def content_policy(style: str, script: str) -> str:
    """Return the policy for a page with this style and this script."""
    return (
        f"default-src 'none'; style-src '{hash_asset(style)}'; script-src '{hash_asset(script)}';"
        " img-src 'none'; connect-src 'none'; base-uri 'none'; form-action 'none';"
        " require-trusted-types-for 'script'; trusted-types 'none'"  # no script can turn text into markup
    )


def hash_asset(text: str) -> str:
    """Return the hash by which a page's content policy allows a style or a script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
