"""The process that a local model runs in: `python -m dlcodegen.models.local.serve_process`, started by `server.py`.

What it is to serve, and the key, come as one line of JSON on standard input; its address, or what is wrong, goes back
as one line on standard output. When standard input ends, whoever started it is gone, and so is it.
"""

import json
import os
import signal
import sys
from typing import Any


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C in the terminal is dealt with by who started us
    reply = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever libraries print is no reply
    said = _serve(json.loads(sys.stdin.readline()))
    print(json.dumps(said), file=reply, flush=True)
    if "address" in said:
        sys.stdin.read()
    os._exit(0)  # an ordinary exit would wait for answers that nobody awaits


def _serve(settings: dict[str, Any]) -> dict[str, str]:
    """Returns when the model is loaded; it is served by threads of llama.cpp."""
    try:
        import xllamacpp

        global _server  # noqa: PLW0603 - it serves as long as it is referred to
        _server = xllamacpp.Server(_parameters(xllamacpp, settings))
        address: str = _server.listening_address
        if not address.startswith("http://127.0.0.1:"):  # its default, under a name that changed between versions
            return {"error": f"it listens at {address}, where others could reach it"}
        return {"address": address}
    except Exception as error:  # of a native library: whatever it raises, it does not serve
        return {"error": " ".join(f"{type(error).__name__}: {error}".split())[:300]}


def _parameters(xllamacpp: Any, settings: dict[str, Any]) -> Any:
    """For several answers side by side that begin alike: one memory for all, and what was read once is read no more."""
    params = xllamacpp.CommonParams()
    params.model.path = settings["path"]
    params.port, params.api_keys = settings["port"], [settings["key"]]
    params.n_parallel, params.n_ctx, params.kv_unified = settings["slots"], settings["context"], True
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = settings["threads"]
    params.cache_prompt, params.cache_ram_mib = True, settings["cache"]
    params.use_jinja, params.ui = True, False
    # Whoever rewrites code copies most of it: what followed the last 12 tokens when they stood there before is tried as
    # it is. A rewrite takes a third less computing, four answers side by side take no more than without.
    params.speculative.types = [xllamacpp.common_speculative_type.COMMON_SPECULATIVE_TYPE_NGRAM_SIMPLE]
    params.verbosity = 1  # errors
    return params


_server: Any = None

if __name__ == "__main__":
    main()
