"""Where this machine keeps the certificates of authorities that it trusts."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

__all__ = ["authorities"]

# Of Debian and Alpine, Red Hat, SUSE, and macOS and BSD.
_USUAL = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


def authorities() -> Path | None:
    """Return the file that holds them all, one PEM after another; None where there is none.

    The file that `SSL_CERT_FILE` names comes first, as it does for OpenSSL, then the one that it
    was built to look at, then the usual ones. A directory of single certificates (`SSL_CERT_DIR`)
    is not considered: most are links that lead out of it.
    """
    built_in = ssl.get_default_verify_paths()
    candidates = (os.environ.get(built_in.openssl_cafile_env), built_in.openssl_cafile, *_USUAL)
    return next((Path(name) for name in candidates if name and Path(name).is_file()), None)
