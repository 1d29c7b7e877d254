"""The sampler chain: grammar, penalties, temperature, top-k, top-p, min-p, then a draw; greedy at temperature 0.

The repetition penalty counts tokens of the prompt and of the answer, the presence penalty those of the answer
only. Both also apply to greedy decoding. Each kind of prompt token counts once for a picture.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any

from desktopapp.engine.backends.llama_cpp.library import llama, log
from desktopapp.engine.sampling import SamplingParameters
from desktopapp.errors import UsageError

# llama.cpp draws a seed of its own for 0xFFFFFFFF.
_SEEDS = 0xFFFFFFFF


class Sampler:
    """Chooses tokens; free it, or use it in a `with` block.

    Args:
        parameters: the recipe.
        vocabulary: of the model.
        prompt_tokens: ids that stand in the prompt.
        most_tokens: longest prompt plus answer.

    Raises:
        UsageError: the grammar is none.
    """

    def __init__(
        self, parameters: SamplingParameters, vocabulary: Any, prompt_tokens: Iterable[int], most_tokens: int
    ) -> None:
        self._chain = llama.llama_sampler_chain_init(llama.llama_sampler_chain_default_params())
        if parameters.grammar:
            self._add_grammar(vocabulary, parameters.grammar)
        size = llama.llama_vocab_n_tokens(vocabulary)
        if parameters.repetition_penalty != 1.0:
            # The chain accepts answer tokens only from now on, so the prompt goes into this one by hand.
            penalty = llama.llama_sampler_init_penalties(
                size, most_tokens, parameters.repetition_penalty, 0.0, 0.0
            )
            for token in prompt_tokens:
                llama.llama_sampler_accept(penalty, token)
            self._add(penalty)
        if parameters.presence_penalty:
            self._add(
                llama.llama_sampler_init_penalties(size, most_tokens, 1.0, 0.0, parameters.presence_penalty)
            )
        if parameters.temperature <= 0:
            self._add(llama.llama_sampler_init_greedy())
            return
        self._add(llama.llama_sampler_init_temp(parameters.temperature))
        if parameters.top_k > 0:
            self._add(llama.llama_sampler_init_top_k(parameters.top_k))
        self._add(llama.llama_sampler_init_top_p(parameters.top_p, 1))
        if parameters.min_p > 0:
            self._add(llama.llama_sampler_init_min_p(parameters.min_p, 1))
        seed = secrets.randbits(31) if parameters.seed is None else parameters.seed % _SEEDS
        self._add(llama.llama_sampler_init_dist(seed))

    def __enter__(self) -> Sampler:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.free()

    def sample(self, context: Any) -> int:
        """The next token after the last one that was decoded with logits."""
        return int(llama.llama_sampler_sample(self._chain, context, -1))

    def free(self) -> None:
        """Give the memory back."""
        if self._chain is not None:
            llama.llama_sampler_free(self._chain)
            self._chain = None

    def _add_grammar(self, vocabulary: Any, grammar: str) -> None:
        log.forget()
        sampler = llama.llama_sampler_init_grammar(vocabulary, grammar.encode(), b"root")
        if not sampler:
            self.free()
            trouble = log.trouble()
            reason = f"The grammar for the answer cannot be read{': ' + trouble[0] if trouble else ''}."
            raise UsageError(reason=reason, remedy="Correct the grammar.")
        self._add(sampler)

    def _add(self, sampler: Any) -> None:
        llama.llama_sampler_chain_add(self._chain, sampler)
