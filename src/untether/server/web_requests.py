"""What a browser asks with when it fetches the web app (decision 0144).

Each request is one of Chromium 156 on Linux, header by header and in its order, so that a server
can't tell by them who compares and who runs. ``tests/browser/app`` holds this to a real browser.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from untether.server.web_files import WebFile
from untether.server.web_manifest import MANIFEST

Asking = Mapping[str, str]
"""The headers of one request, in their order."""

TAG: Final = "If-None-Match"
"""Asks whether what was kept still holds: 304 says yes."""
_BRANDS: Final = '"Not:A-Brand";v="8", "Chromium";v="156"'
_PLATFORM: Final = '"Linux"'
_AGENT: Final = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/156.0.0.0 Safari/537.36"
}
_KEPT_OPEN: Final = {"Connection": "keep-alive"}
_ANEW: Final = {"Cache-Control": "max-age=0"}
_ANYTHING: Final = {"Accept": "*/*"}
_OF_PAGE: Final = {
    "sec-ch-ua-platform": _PLATFORM,
    **_AGENT,
    "sec-ch-ua": _BRANDS,
    "sec-ch-ua-mobile": "?0",
}
_FROM_HERE: Final = {"Origin": "{origin}"}
_LAST: Final = {
    "Accept-Encoding": "gzip, deflate, br, zstd",
    "Accept-Language": "en-US,en;q=0.9",
}


def _wanted(mode: str, kind: str) -> Asking:
    return {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": kind}


_OPEN: Final = {
    **_KEPT_OPEN,
    "sec-ch-ua": _BRANDS,
    "sec-ch-ua-mobile": "?0",
    "sec-ch-ua-platform": _PLATFORM,
    "Upgrade-Insecure-Requests": "1",
    **_AGENT,
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/jxl,image/avif,"
    "image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7",
    "Sec-Fetch-Site": "none",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-User": "?1",
    "Sec-Fetch-Dest": "document",
    **_LAST,
}
"""The address is opened."""
_SCRIPT: Final = {
    **_KEPT_OPEN,
    **_FROM_HERE,
    **_OF_PAGE,
    **_ANYTHING,
    **_wanted("cors", "script"),
    **_LAST,
}
_WORKER: Final = {
    **_KEPT_OPEN,
    **_ANYTHING,
    **_wanted("same-origin", "worker"),
    **_AGENT,
    **_LAST,
}
_SCRIPT_OF_WORKER: Final = {
    **_KEPT_OPEN,
    **_AGENT,
    **_FROM_HERE,
    **_ANYTHING,
    **_wanted("cors", "script"),
    **_LAST,
}
_STYLE: Final = {
    **_SCRIPT,
    "Accept": "text/css,*/*;q=0.1",
    **_wanted("cors", "style"),
}
_PICTURE: Final = {
    **_KEPT_OPEN,
    **_OF_PAGE,
    "Accept": "image/jxl,image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8",
    **_wanted("no-cors", "image"),
    **_LAST,
}
_APP_MANIFEST: Final = {
    **_KEPT_OPEN,
    **_OF_PAGE,
    **_ANYTHING,
    **_wanted("cors", "manifest"),
    **_LAST,
}
_SERVICE_WORKER: Final = {
    **_KEPT_OPEN,
    **_ANEW,
    **_ANYTHING,
    "Service-Worker": "script",
    **_wanted("same-origin", "serviceworker"),
    **_AGENT,
    **_LAST,
}
_SERVICE_WORKER_AGAIN: Final = {
    **_KEPT_OPEN,
    **_ANEW,
    **_ANYTHING,
    "Service-Worker": "script",
    **_wanted("same-origin", "serviceworker"),
    "Referer": "{origin}/service_worker.js",
    **_AGENT,
    **_LAST,
}
_KEEP: Final = {**_KEPT_OPEN, **_AGENT, **_ANYTHING, **_wanted("cors", "empty"), **_LAST}
"""The service worker keeps every file, and a worker fetches what it needs."""
LIST: Final = {
    **_KEPT_OPEN,
    **_ANEW,
    **_AGENT,
    **_ANYTHING,
    **_wanted("cors", "empty"),
    **_LAST,
}
"""The service worker reads the list of files."""
_NOT_PACKED: Final = {**_KEEP, "Accept-Encoding": "gzip, deflate"}
"""A browser that does not take Brotli: the relay has packed nothing else."""

_SCRIPTS: Final = (_SCRIPT, _WORKER, _SCRIPT_OF_WORKER)
_BY_ENDING: Final[Mapping[str, tuple[Asking, ...]]] = {
    "js": _SCRIPTS,
    "mjs": _SCRIPTS,
    "css": (_STYLE,),
    "svg": (_PICTURE,),
    "png": (_PICTURE,),
    "webmanifest": (_APP_MANIFEST,),
}
_BY_PATH: Final[Mapping[str, tuple[Asking, ...]]] = {
    "": (_OPEN,),
    "service_worker.js": (_SERVICE_WORKER, _SERVICE_WORKER_AGAIN, _KEEP),
    MANIFEST: (LIST,),
}


def requests_for(path: str, file: WebFile, origin: str) -> Iterator[Asking]:
    """Yield every request by which a browser may get a file, ``""`` being the address itself."""
    ways = _BY_PATH.get(path) or (*_BY_ENDING.get(path.rpartition(".")[2], ()), _KEEP)
    for way in ways:
        asking = {name: value.format(origin=origin) for name, value in way.items()}
        yield asking
        yield {**asking, **_of_whoever_has_some(file)}
    yield _NOT_PACKED


def _of_whoever_has_some(file: WebFile) -> Asking:
    """Ask whether what is kept still holds; where it always does, for a rest that did not come."""
    if file.headers["Cache-Control"] == "no-cache":
        return {TAG: file.tag}
    middle = len(file.content) // 2
    return {"Range": f"bytes={middle}-{middle}", "If-Range": file.tag}
