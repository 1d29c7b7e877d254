"""The KV cache and attention over it.

`KvCache` holds keys and values of one sequence, quantised or not, in blocks that grow in place; `append` adds tokens, `attend` is causal
attention of the newest tokens to it; `as_library_cache` lets transformers' own model run over it.
"""

from desktopapp.engine.backends.transformers.kv_cache.attention import append, attend
from desktopapp.engine.backends.transformers.kv_cache.cache import KvCache, KvLayer, KvState
from desktopapp.engine.backends.transformers.kv_cache.library_cache import (
    ATTENTION_NAME,
    as_library_cache,
    register_attention,
)

__all__ = [
    "ATTENTION_NAME",
    "KvCache",
    "KvLayer",
    "KvState",
    "append",
    "as_library_cache",
    "attend",
    "register_attention",
]
